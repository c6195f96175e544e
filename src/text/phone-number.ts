import { foldDigits } from "./fold-digits.ts";
import { ofNumberingPlan } from "./numbering-plan-form.ts";
import { type CountryCode, type PhoneNumber, parseWholeNumber } from "./numbering-plans.ts";

/**
 * Parses text that is a phone number and nothing else, in international form or in the country's national form, with digits of
 * any script. Undefined if it is not one. Forms of Mexican and Argentine mobile numbers that are no longer, or only elsewhere,
 * dialled become the number of the plan.
 */
export function parsePhoneNumber(text: string, country?: CountryCode): PhoneNumber | undefined {
  const parsed = parseWholeNumber(withPlainPlus(text), country);
  return parsed && ofNumberingPlan(parsed, parseWholeNumber);
}

/** The library does not accept blanks or brackets before a plus, as in `(+34) 954 282 880`, a full-width plus, or several. */
export function withPlainPlus(text: string): string {
  return foldDigits(text)
    .trim()
    .replace(/^[\s([（［]*[+＋]+/u, "+");
}

/**
 * The part of a text that may be a phone number, as all ports of Google's libphonenumber take it (`extractPossibleNumber`,
 * `buildNationalNumberForParsing`): from the first plus or digit on, without signs at the end and without a second number.
 * A word at the end is dropped if it is too short to stand for digits, as in `9123 4567 (m)`. The library's own drops longer
 * ones as well, so that `+1 800 FLOWERS` would be read as the number +1 800.
 */
export function extractPossibleNumber(text: string): string {
  return (
    withinContext(foldDigits(text))
      // The lookbehind keeps the time linear, however many signs stand within the text.
      .replace(/(?<![^\p{N}\p{L}#])[^\p{N}\p{L}#]*(?:(?<!\p{L})\p{L}{1,2}[^\p{N}\p{L}#]*)?$/u, "")
      .replace(/[\\/] *x.*$/su, "")
      .replaceAll("*", " ")
  );
}

/** A number with digits and separators, beginning with its country code (RFC 3966 §3: `global-number-digits`). */
const globalNumber = /^\+(?=.*\d)[\d.()-]+$/u;
const domainName = /^([a-z\d-]+\.)*[a-z][a-z\d-]*\.?$/iu;

/**
 * Applies a `phone-context` parameter (RFC 3966 §5.1.4): a number is a prefix, a domain adds nothing. The library must not see
 * it: its patterns keep state between calls, so that every second such number would be refused.
 */
function withinContext(text: string): string {
  const [, local = text, context] = /^(.*?);phone-context=([^;]*)/isu.exec(text) ?? [];
  const start = local.search(/[+＋\d]/u);
  const number = start < 0 ? "" : local.slice(start);
  if (context === undefined || domainName.test(context)) {
    return number;
  }
  return globalNumber.test(context) ? context + number : "";
}

/** Where a number belongs: the country (ISO 3166), or the calling code of an international network, such as `+883`. */
export function networkOf({
  country,
  countryCallingCode,
}: Pick<PhoneNumber, "country" | "countryCallingCode">): string {
  return country ?? `+${countryCallingCode}`;
}
