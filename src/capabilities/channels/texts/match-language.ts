import { type LanguageTag, languageTags } from "./language-tags.ts";

/**
 * Ranges that end at one of our languages though lookup would not, in lower case. Chinese is matched by script, and without one by the script
 * of the region; all Portuguese gets the Brazilian texts, which its readers know better than English; codes that BCP 47 has replaced.
 */
const synonyms: Readonly<Record<string, LanguageTag>> = {
  zh: "zh-CN",
  "zh-hant": "zh-TW",
  "zh-hk": "zh-TW",
  "zh-mo": "zh-TW",
  cmn: "zh-CN",
  "cmn-hant": "zh-TW",
  "cmn-tw": "zh-TW",
  pt: "pt-BR",
  iw: "he",
  in: "id",
};

const byTag: ReadonlyMap<string, LanguageTag> = new Map([
  ...languageTags.map((tag) => [tag.toLowerCase(), tag] as const),
  ...Object.entries(synonyms),
]);

/**
 * The languages whose texts suit a BCP 47 tag, the best first: by lookup (RFC 4647 §3.4), without those that `matchLanguage` gives other texts
 * (`zh` for `zh-HK`), then the names of the language that it gives.
 */
export function languageRange(locale: string): readonly string[] {
  const subtags = locale.split("-");
  const language = matchLanguage(locale);
  const shorter = subtags
    .map((_, index) => subtags.slice(0, subtags.length - index))
    // A single letter or digit only says what the next subtag is.
    .filter((kept) => (kept.at(-1)?.length ?? 0) > 1)
    .map((kept) => kept.join("-"))
    .filter((kept) => matchLanguage(kept) === language);
  return [...shorter, ...(language === undefined ? [] : [language, ...(scripts[language] ?? [])])];
}

/** Names of a language by its script. */
const scripts: Readonly<Partial<Record<LanguageTag, readonly string[]>>> = {
  "zh-CN": ["zh-Hans"],
  "zh-TW": ["zh-Hant"],
};

/** The language for a BCP 47 tag, by lookup (RFC 4647 §3.4): subtags are cut off at the end until one matches. */
export function matchLanguage(locale: string | undefined): LanguageTag | undefined {
  const subtags = (locale ?? "").toLowerCase().split(/[-_]/);
  for (let length = subtags.length; length > 0; length -= 1) {
    const language = byTag.get(subtags.slice(0, length).join("-"));
    if (language !== undefined) {
      return language;
    }
  }
  return undefined;
}
