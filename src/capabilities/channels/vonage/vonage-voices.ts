import type { Voices } from "../provider-text.ts";

/** The `language` of an NCCO's `talk`, which is spoken in its first style ("Text to Speech", "Supported Languages"). */
export const vonageVoices: Voices<string> = {
  en: "en-US",
  es: "es-ES",
  fr: "fr-FR",
  de: "de-DE",
  "pt-BR": "pt-BR",
  it: "it-IT",
  nl: "nl-NL",
  pl: "pl-PL",
  tr: "tr-TR",
  ru: "ru-RU",
  uk: "uk-UA",
  ar: "ar",
  he: "he-IL",
  hi: "hi-IN",
  id: "id-ID",
  vi: "vi-VN",
  th: "th-TH",
  "zh-CN": "cmn-CN",
  "zh-TW": "cmn-TW",
  ja: "ja-JP",
  ko: "ko-KR",
};
