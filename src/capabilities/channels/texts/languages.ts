import { en } from "./en.ts";
import type { MessageTexts } from "./message-texts.ts";

/** Every language there is, by its lower-case tag. A new one is a file beside `en.ts` and a line here. */
const languages: Readonly<Record<string, MessageTexts>> = { en };

/** The texts for a locale such as `pt-BR`: its own, else those of the language alone, else English. */
export function textsFor(locale: string | undefined): MessageTexts {
  const subtags = (locale ?? "").toLowerCase().split(/[-_]/);
  for (let length = subtags.length; length > 0; length -= 1) {
    const tag = subtags.slice(0, length).join("-");
    const texts = Object.hasOwn(languages, tag) ? languages[tag] : undefined;
    if (texts !== undefined) {
      return texts;
    }
  }
  return en;
}
