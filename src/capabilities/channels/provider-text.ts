import type { CodeMessage } from "./outgoing-message.ts";
import { withPlainSigns } from "./sms-text/plain-signs.ts";
import { paymentOf } from "./texts/format-payment.ts";
import { textsFor } from "./texts/languages.ts";
import { spokenCode } from "./texts/spoken-code.ts";
import { timeLeft } from "./texts/time-left.ts";

/** The text of a text message, or what a call reads out. */
export function providerText(message: CodeMessage, now: Date): string {
  return message.channel === "voice"
    ? spokenText(message, now)
    : withPlainSigns([shortText(message, now), ...boundCode(message)].join("\n\n"));
}

/** The text of a message without a subject. */
export function shortText({ locale, brand, code, expiresAt, approval }: CodeMessage, now: Date): string {
  const texts = textsFor(locale);
  const words = { brand, code, time: timeLeft(texts, expiresAt, now) };
  return approval === undefined
    ? texts.short(words)
    : texts.approval.short({ ...words, ...paymentOf(texts, approval, "code") });
}

function spokenText({ locale, brand, code, expiresAt, approval }: CodeMessage, now: Date): string {
  const texts = textsFor(locale);
  const words = { brand, code: spokenCode(texts, code), time: timeLeft(texts, expiresAt, now) };
  return approval === undefined
    ? texts.spoken(words)
    : texts.approval.spoken({ ...words, ...paymentOf(texts, approval, "name") });
}

/** The last line of a text message, from which phones fill in the code on the domain. */
function boundCode(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : [`@${message.autofillDomain} #${message.code}`];
}
