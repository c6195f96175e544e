import { fillIn, type PlaceholderName, type TextParts } from "../channels/own-texts/message-template.ts";
import { withPlainSigns } from "../channels/sms-text/plain-signs.ts";
import { countSegments } from "../channels/sms-text/segments.ts";
import { textsFor } from "../channels/texts/languages.ts";
import { timeInWords } from "../channels/texts/time-left.ts";

/** The greatest lengths of values, in letters of the GSM 7-bit alphabet. `time` is that of the language. */
const greatest: Readonly<Record<Exclude<PlaceholderName, "time">, string>> = {
  code: "0".repeat(10),
  brand: "M".repeat(40),
  minutes: "60",
  payee: "M".repeat(70),
  amount: "EUR 999,999,999,999.00",
};

/**
 * The parts of a text message whose values have their greatest length. A brand in another alphabet than GSM 7-bit makes more of them, and so
 * does the line for phones.
 */
export function greatestSegments(parts: TextParts, locale: string): number {
  const texts = textsFor(locale);
  const times = [0, 1, 2, 5, 11, 22, 55, 60].map((minutes) => timeInWords(texts, minutes));
  const time = times.reduce((longest, each) => (each.length > longest.length ? each : longest));
  const text = fillIn(parts, (name) => (name === "time" ? time : greatest[name])).replaceAll("\r\n", "\n");
  return countSegments(withPlainSigns(text));
}
