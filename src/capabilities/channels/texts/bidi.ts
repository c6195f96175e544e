import type { CodeWords, MessageTexts, Payment } from "./message-texts.ts";

/** Letters of scripts that are written from right to left, of today's languages. */
/** Where Unicode has the scripts that are written from right to left, those of today and the others. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The direction of a text whose language is not known: right to left if it has letters that are. */
export function directionOf(text: string): MessageTexts["direction"] {
  return rightToLeft.test(text) ? "rtl" : "ltr";
}

/**
 * What is inserted into a text of a direction, in FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE (UAX #9) where it could change sides with
 * what stands next to it: everything in a text from right to left, and in others a name with letters of the other direction.
 */
export function isolateIn(direction: MessageTexts["direction"], text: string): string {
  return direction === "rtl" || directionOf(text) === "rtl" ? `\u2068${text}\u2069` : text;
}

/**
 * The texts of a language with what is inserted into them isolated: next to a name of the other direction, a code or an amount would change
 * sides. A spoken text has no sides. Codes are digits, which keep their order without it.
 */
export function isolateInsertions(texts: MessageTexts): MessageTexts {
  const isolate = (text: string) => isolateIn(texts.direction, text);
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
