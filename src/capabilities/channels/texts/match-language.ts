import { type LanguageTag, languageTags } from "./language-tags.ts";

/** Tags that mean one of our languages, in lower case: codes of former times, scripts and regions. */
const synonyms: Readonly<Record<string, LanguageTag>> = {};

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
