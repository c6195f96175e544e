/** The languages that messages are written in, by BCP 47 tag. Each has a file in `languages/`. */
export const languageTags = ["en"] as const;
export type LanguageTag = (typeof languageTags)[number];
