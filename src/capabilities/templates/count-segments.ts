import { fillIn, type PlaceholderName, type TextParts } from "../channels/own-texts/message-template.ts";
import { withPlainSigns } from "../channels/sms-text/plain-signs.ts";
import { countSegments } from "../channels/sms-text/segments.ts";
import { directionOf, isolateIn } from "../channels/texts/bidi.ts";
import { formatAmount } from "../channels/texts/format-payment.ts";
import { textsFor } from "../channels/texts/languages.ts";
import { timeInWords } from "../channels/texts/time-left.ts";

/** With every plural form. */
const minutes = [0, 1, 2, 5, 11, 22, 55, 60];
const greatestAmount = { value: "999999999999.000", currency: "KWD" };

/**
 * The parts of a text message whose values have their greatest length, with names in letters of the GSM 7-bit alphabet. Names in others can make
 * more of it, and so can the line for phones: what is then sent is decided for each message (`templateInUse`).
 */
export function greatestSegments(parts: TextParts, locale: string): number {
  const texts = textsFor(locale);
  const direction = directionOf(fillIn(parts, () => ""));
  const greatest: Readonly<Record<Exclude<PlaceholderName, "time">, string>> = {
    code: "0".repeat(10),
    brand: isolateIn(direction, "M".repeat(40)),
    minutes: "60",
    payee: isolateIn(direction, "M".repeat(70)),
    amount: isolateIn(direction, formatAmount(texts.language, greatestAmount, "code")),
  };
  const segments = minutes.map((left) => {
    const time = timeInWords(texts, left);
    const text = fillIn(parts, (name) => (name === "time" ? time : greatest[name])).replaceAll("\r\n", "\n");
    return countSegments(withPlainSigns(text));
  });
  return Math.max(...segments);
}
