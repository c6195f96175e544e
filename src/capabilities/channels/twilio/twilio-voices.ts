import type { Voices } from "../provider-text.ts";

/** The attributes of `<Say>` for a language. The account's own voice speaks English. */
export interface TwilioVoice {
  readonly language: string;
  readonly voice?: string;
}

/** Voices of the tier "standard", of Amazon Polly where it has the language, else of Google ("TwiML Voice: Say", "Text-to-Speech"). */
export const twilioVoices: Voices<TwilioVoice> = {
  en: { language: "en-US" },
  es: { language: "es-ES", voice: "Polly.Lucia" },
  fr: { language: "fr-FR", voice: "Polly.Lea" },
  de: { language: "de-DE", voice: "Polly.Vicki" },
  "pt-BR": { language: "pt-BR", voice: "Polly.Camila" },
  it: { language: "it-IT", voice: "Polly.Bianca" },
  nl: { language: "nl-NL", voice: "Polly.Lotte" },
  pl: { language: "pl-PL", voice: "Polly.Ewa" },
  tr: { language: "tr-TR", voice: "Polly.Filiz" },
  ru: { language: "ru-RU", voice: "Polly.Tatyana" },
  uk: { language: "uk-UA", voice: "Google.uk-UA-Standard-A" },
  ar: { language: "arb", voice: "Polly.Zeina" },
  he: { language: "he-IL", voice: "Google.he-IL-Standard-A" },
  hi: { language: "hi-IN", voice: "Polly.Aditi" },
  id: { language: "id-ID", voice: "Google.id-ID-Standard-A" },
  vi: { language: "vi-VN", voice: "Google.vi-VN-Standard-A" },
  th: { language: "th-TH", voice: "Google.th-TH-Standard-A" },
  "zh-CN": { language: "cmn-CN", voice: "Polly.Zhiyu" },
  "zh-TW": { language: "cmn-TW", voice: "Google.cmn-TW-Standard-A" },
  ja: { language: "ja-JP", voice: "Polly.Mizuki" },
  ko: { language: "ko-KR", voice: "Polly.Seoyeon" },
};
