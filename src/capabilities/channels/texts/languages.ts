import { isolateInsertions } from "./bidi.ts";
import { type LanguageTag, languageTags } from "./language-tags.ts";
import { ar } from "./languages/ar.ts";
import { de } from "./languages/de.ts";
import { en } from "./languages/en.ts";
import { es } from "./languages/es.ts";
import { fr } from "./languages/fr.ts";
import { he } from "./languages/he.ts";
import { hi } from "./languages/hi.ts";
import { id } from "./languages/id.ts";
import { it } from "./languages/it.ts";
import { ja } from "./languages/ja.ts";
import { ko } from "./languages/ko.ts";
import { nl } from "./languages/nl.ts";
import { pl } from "./languages/pl.ts";
import { ptBR } from "./languages/pt-BR.ts";
import { ru } from "./languages/ru.ts";
import { th } from "./languages/th.ts";
import { tr } from "./languages/tr.ts";
import { uk } from "./languages/uk.ts";
import { vi } from "./languages/vi.ts";
import { zhCN } from "./languages/zh-CN.ts";
import { zhTW } from "./languages/zh-TW.ts";
import { matchLanguage } from "./match-language.ts";
import type { MessageTexts } from "./message-texts.ts";

const languages: Readonly<Record<LanguageTag, MessageTexts>> = {
  en,
  es,
  fr,
  de,
  "pt-BR": ptBR,
  it,
  nl,
  pl,
  tr,
  ru,
  uk,
  ar,
  he,
  hi,
  id,
  vi,
  th,
  "zh-CN": zhCN,
  "zh-TW": zhTW,
  ja,
  ko,
};

const isolated: ReadonlyMap<LanguageTag, MessageTexts> = new Map(
  languageTags.map((tag) => [tag, isolateInsertions(languages[tag])]),
);

/** The texts for a locale such as `pt-BR`: those of the language that matches best, or English. */
export function textsFor(locale: string | undefined): MessageTexts {
  const language = matchLanguage(locale) ?? "en";
  return isolated.get(language) ?? languages[language];
}
