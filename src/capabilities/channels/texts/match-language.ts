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
