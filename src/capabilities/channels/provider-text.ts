import type { CodeMessage } from "./outgoing-message.ts";
import { withPlainSigns } from "./sms-text/plain-signs.ts";
import { minutesLeft, textsFor } from "./texts/message-texts.ts";

/** The text of a text message, or what a call reads out. */
export function providerText(message: CodeMessage, now: Date): string {
  const texts = textsFor(message.locale);
  const minutes = minutesLeft(message.expiresAt, now);
  return message.channel === "voice"
    ? texts.spoken(message.brand, message.code, minutes)
    : withPlainSigns([texts.short(message.brand, message.code, minutes), ...boundCode(message)].join("\n\n"));
}

/** The last line of a text message, from which phones fill in the code on the domain. */
function boundCode(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : [`@${message.autofillDomain} #${message.code}`];
}
