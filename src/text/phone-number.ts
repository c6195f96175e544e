import { type CountryCode, type PhoneNumber, parsePhoneNumberFromString } from "libphonenumber-js/max";
import { foldDigits } from "./fold-digits.ts";

/**
 * Reads text that is a phone number and nothing else, in international form or in that of the country, with digits of any
 * script. Undefined if it is none.
 */
export function parsePhoneNumber(text: string, country?: CountryCode): PhoneNumber | undefined {
  // The library takes neither blanks and brackets before a plus, as in `(+34) 954 282 880`, nor a wide plus.
  const number = foldDigits(text)
    .trim()
    .replace(/^[\s([（［]*[+＋]/u, "+");
  return parsePhoneNumberFromString(number, {
    ...(country === undefined ? {} : { defaultCountry: country }),
    extract: false,
  });
}

/**
 * The part of a text that may be a phone number: from the first plus or digit on, without signs at the end and without a
 * second number (`extractPossibleNumber` of Google's libphonenumber). The library's own drops words at the end as well, so
 * that `+1 800 FLOWERS` would be read as the number +1 800.
 */
export function extractPossibleNumber(text: string): string {
  const start = text.search(/[+＋\p{Nd}]/u);
  const number = start < 0 ? "" : text.slice(start);
  return number.replace(/[^\p{N}\p{L}#]+$/u, "").replace(/[\\/] *x.*$/su, "");
}
