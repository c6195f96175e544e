import type { CodeMessage } from "./outgoing-message.ts";
import { withPlainSigns } from "./sms-text/plain-signs.ts";
import { paymentOf } from "./texts/format-payment.ts";
import type { LanguageTag } from "./texts/language-tags.ts";
import { textsFor } from "./texts/languages.ts";
import type { MessageTexts } from "./texts/message-texts.ts";
import { spokenCode } from "./texts/spoken-code.ts";
import { timeLeft } from "./texts/time-left.ts";

/** The text of a text message, or what a call reads out. */
export function providerText(message: CodeMessage, now: Date): string {
  return message.channel === "voice"
    ? spokenText(message, textsFor(message.locale), now)
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

/** The voices of a provider that reads texts out. Undefined: it has none for the language. */
export type Voices<Voice> = Readonly<Record<LanguageTag, Voice | undefined>> & { readonly en: Voice };

/** What a call reads out, and the voice for it: in English if the provider has none for the message's language. */
export function callText<Voice>(message: CodeMessage, now: Date, voices: Voices<Voice>) {
  const texts = textsFor(message.locale);
  const voice = voices[texts.language];
  return voice === undefined
    ? { text: spokenText(message, textsFor("en"), now), voice: voices.en }
    : { text: spokenText(message, texts, now), voice };
}

function spokenText({ brand, code, expiresAt, approval }: CodeMessage, texts: MessageTexts, now: Date): string {
  const words = { brand, code: spokenCode(texts, code), time: timeLeft(texts, expiresAt, now) };
  return approval === undefined
    ? texts.spoken(words)
    : texts.approval.spoken({ ...words, ...paymentOf(texts, approval, "name") });
}

/** The last line of a text message, from which phones fill in the code on the domain. */
function boundCode(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : [`@${message.autofillDomain} #${message.code}`];
}
