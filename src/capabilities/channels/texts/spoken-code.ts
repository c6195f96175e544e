import type { MessageTexts } from "./message-texts.ts";

/** The code for a voice: each digit in words, with a pause after each. A figure could be read as a number, or as an ordinal before a full stop. */
export function spokenCode({ digits, pause }: MessageTexts, code: string): string {
  return [...code].map((character) => digits[Number(character)] ?? character).join(pause);
}
