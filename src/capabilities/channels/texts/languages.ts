import type { LanguageTag } from "./language-tags.ts";
import { en } from "./languages/en.ts";
import { matchLanguage } from "./match-language.ts";
import type { MessageTexts } from "./message-texts.ts";

const languages: Readonly<Record<LanguageTag, MessageTexts>> = { en };

/** The texts for a locale such as `pt-BR`: those of the language that matches best, or English. */
export function textsFor(locale: string | undefined): MessageTexts {
  return languages[matchLanguage(locale) ?? "en"];
}
