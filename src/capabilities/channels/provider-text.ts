import type { CodeMessage } from "./outgoing-message.ts";
import { withPlainSigns } from "./sms-text/plain-signs.ts";
import { textsFor } from "./texts/languages.ts";
import { spokenCode } from "./texts/spoken-code.ts";
import { timeLeft } from "./texts/time-left.ts";

/** The text of a text message, or what a call reads out. */
export function providerText(message: CodeMessage, now: Date): string {
  const texts = textsFor(message.locale);
  const { brand, code } = message;
  const time = timeLeft(texts, message.expiresAt, now);
  return message.channel === "voice"
    ? texts.spoken({ brand, code: spokenCode(texts, code), time })
    : withPlainSigns([texts.short({ brand, code, time }), ...boundCode(message)].join("\n\n"));
}

/** The last line of a text message, from which phones fill in the code on the domain. */
function boundCode(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : [`@${message.autofillDomain} #${message.code}`];
}
