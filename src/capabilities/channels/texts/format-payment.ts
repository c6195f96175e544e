import type { Amount, Approval } from "../outgoing-message.ts";
import type { MessageTexts, Payment } from "./message-texts.ts";

/** How an amount names its currency. */
type CurrencyForm = "symbol" | "code" | "name";

/** A payment as the reader is told of it. */
export function paymentOf(
  { language }: Pick<MessageTexts, "language">,
  { payee, amount }: Approval,
  form: CurrencyForm,
): Payment {
  return { payee, amount: formatAmount(language, amount, form) };
}

/**
 * An amount in a language's form, in the digits of the code: with the currency's `symbol` (`€249.90`), its `code` (`EUR 249.90`, which text messages
 * have in one alphabet with the rest), or its `name` (`249.90 euros`, for voices).
 */
export function formatAmount(
  language: MessageTexts["language"],
  { value, currency }: Amount,
  currencyDisplay: CurrencyForm,
): string {
  const digits = value.split(".")[1]?.length ?? 0;
  const format = new Intl.NumberFormat(`${language}-u-nu-latn`, {
    style: "currency",
    currency,
    currencyDisplay,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // Exact: it has 15 digits at most.
  return format.format(Number(value));
}
