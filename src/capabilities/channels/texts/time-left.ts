import type { LanguageTag } from "./language-tags.ts";
import type { MessageTexts } from "./message-texts.ts";

/** How long the code can still be used, in words: "5 minutes". */
export function timeLeft(texts: MessageTexts, expiresAt: Date, now: Date): string {
  return timeInWords(texts, minutesLeft(expiresAt, now));
}

/** `minutes` is 0 for less than one. */
export function timeInWords({ language, timeLeft: forms }: MessageTexts, minutes: number): string {
  if (minutes === 0) {
    return forms.lessThanMinute;
  }
  if (minutes === 60) {
    return forms.hour;
  }
  const form = forms[pluralRules(language).select(minutes)] ?? forms.other;
  return form.replace("#", String(minutes));
}

/** Making one takes longer than all the rest of a text. */
const rulesByLanguage = new Map<LanguageTag, Intl.PluralRules>();

function pluralRules(language: LanguageTag): Intl.PluralRules {
  const rules = rulesByLanguage.get(language) ?? new Intl.PluralRules(language);
  rulesByLanguage.set(language, rules);
  return rules;
}

/** Tolerates the delay of sending: a code valid for five minutes is not announced as 4 minutes. */
const toleranceMs = 5_000;

/** The whole minutes until `expiresAt`, as announced in messages; 0 is less than one. */
export function minutesLeft(expiresAt: Date, now: Date): number {
  return Math.max(0, Math.floor((expiresAt.getTime() - now.getTime() + toleranceMs) / 60_000));
}
