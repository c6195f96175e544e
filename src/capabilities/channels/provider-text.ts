import type { CodeMessage } from "./outgoing-message.ts";
import { templateText } from "./own-texts/fill-in-template.ts";
import type { MessageTemplate } from "./own-texts/message-template.ts";
import { withPlainSigns } from "./sms-text/plain-signs.ts";
import { countSegments, maxSegments } from "./sms-text/segments.ts";
import { autofillLine } from "./texts/autofill-line.ts";
import { paymentOf } from "./texts/format-payment.ts";
import type { LanguageTag } from "./texts/language-tags.ts";
import { textsFor } from "./texts/languages.ts";
import type { MessageTexts } from "./texts/message-texts.ts";
import { spokenCode } from "./texts/spoken-code.ts";
import { spokenName } from "./texts/spoken-name.ts";
import { timeLeft } from "./texts/time-left.ts";

/** The text of a text message, or what a call reads out. */
export function providerText(message: CodeMessage, now: Date): string {
  if (message.channel === "voice") {
    return spokenText(message, now);
  }
  return withBoundLine(message, shortText(message, now));
}

/** The text of a message without a subject. */
export function shortText(message: CodeMessage, now: Date): string {
  const template = templateInUse(message, now);
  return template === undefined ? ownShortText(message, now) : templateText(message, template, now, "text");
}

/**
 * The template whose text a message has. Undefined: the server's, because there is no template, or because names in other letters than GSM
 * 7-bit, or the line for phones, make more parts of the template's than a text message may have, and fewer of the server's.
 */
export function templateInUse(message: CodeMessage, now: Date): MessageTemplate | undefined {
  const { channel, template } = message;
  if (template === undefined || channel !== "sms") {
    return template;
  }
  const segments = countSegments(withBoundLine(message, templateText(message, template, now, "text")));
  const isTooLong =
    segments > maxSegments && countSegments(withBoundLine(message, ownShortText(message, now))) < segments;
  return isTooLong ? undefined : template;
}

function withBoundLine(message: CodeMessage, text: string): string {
  const bound = autofillLine(message);
  return withPlainSigns([text, ...(bound === undefined ? [] : [bound])].join("\n\n"));
}

function ownShortText({ locale, brand, code, expiresAt, approval }: CodeMessage, now: Date): string {
  const texts = textsFor(locale);
  const words = { brand, code, time: timeLeft(texts, expiresAt, now) };
  return approval === undefined
    ? texts.short(words)
    : texts.approval.short({ ...words, ...paymentOf(texts, approval, "code") });
}

/** The voices of a provider that reads texts out. Undefined: it has none for the language. */
export type Voices<Voice> = Readonly<Record<LanguageTag, Voice | undefined>> & { readonly en: Voice };

/** What a call reads out, and the voice for it: the server's English text if the provider has none for the language. */
export function callText<Voice>(message: CodeMessage, now: Date, voices: Voices<Voice>) {
  const voice = voices[textsFor(message.template?.locale ?? message.locale).language];
  return voice === undefined
    ? { text: ownSpokenText(message, textsFor("en"), now), voice: voices.en }
    : { text: spokenText(message, now), voice };
}

function spokenText(message: CodeMessage, now: Date): string {
  return message.template === undefined
    ? ownSpokenText(message, textsFor(message.locale), now)
    : templateText(message, message.template, now, "voice");
}

function ownSpokenText({ brand, code, expiresAt, approval }: CodeMessage, texts: MessageTexts, now: Date): string {
  const words = { brand: spokenName(brand), code: spokenCode(texts, code), time: timeLeft(texts, expiresAt, now) };
  return approval === undefined
    ? texts.spoken(words)
    : texts.approval.spoken({
        ...words,
        ...paymentOf(texts, { ...approval, payee: spokenName(approval.payee) }, "name"),
      });
}
