import type { CodeWords, MessageTexts, Payment } from "./message-texts.ts";

/** FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE (UAX #9): a name of another direction stands where the sentence has it. */
function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}

/**
 * Texts of a language written from right to left, with what is inserted into them isolated: next to a Latin brand, a code or an amount would
 * change sides. A spoken text has no sides. Codes are digits, which keep their order without it.
 */
export function isolateInsertions(texts: MessageTexts): MessageTexts {
  const { reset, approval } = texts;
  const words = <Words extends CodeWords>(given: Words): Words => ({ ...given, brand: isolate(given.brand) });
  const payment = <Words extends Payment>(given: Words): Words => ({
    ...given,
    payee: isolate(given.payee),
    amount: isolate(given.amount),
  });
  return {
    ...texts,
    subject: (brand) => texts.subject(isolate(brand)),
    heading: (brand) => texts.heading(isolate(brand)),
    caution: (brand) => texts.caution(isolate(brand)),
    short: (given) => texts.short(words(given)),
    reset: {
      ...reset,
      subject: (brand) => reset.subject(isolate(brand)),
      instruction: (brand, url) => reset.instruction(isolate(brand), isolate(url)),
    },
    approval: {
      ...approval,
      subject: (brand) => approval.subject(isolate(brand)),
      instruction: (given) => approval.instruction(payment(given)),
      caution: (brand) => approval.caution(isolate(brand)),
      short: (given) => approval.short(payment(words(given))),
    },
  };
}
