import type { Voices } from "../provider-text.ts";

/** The attributes of `<Speak>` for a language. */
export type PlivoVoice = { readonly language: string } | { readonly voice: string };

/** Plivo's own voices, and those of Amazon Polly for languages that only it has ("Audio output", "SSML voices"). */
export const plivoVoices: Voices<PlivoVoice> = {
  en: { language: "en-US" },
  es: { language: "es-ES" },
  fr: { language: "fr-FR" },
  de: { language: "de-DE" },
  "pt-BR": { language: "pt-BR" },
  it: { language: "it-IT" },
  nl: { language: "nl-NL" },
  pl: { language: "pl-PL" },
  tr: { voice: "Polly.Filiz" },
  ru: { language: "ru-RU" },
  uk: undefined,
  ar: { voice: "Polly.Zeina" },
  he: undefined,
  hi: { voice: "Polly.Aditi" },
  id: undefined,
  vi: undefined,
  th: undefined,
  "zh-CN": { voice: "Polly.Zhiyu" },
  "zh-TW": undefined,
  ja: { voice: "Polly.Mizuki" },
  ko: { voice: "Polly.Seoyeon" },
};
