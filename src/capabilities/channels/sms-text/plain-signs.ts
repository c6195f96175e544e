import { isGsm7 } from "./segments.ts";

/** Signs that keyboards and word processors set for the plain ones, which alone would more than halve what fits into a part. */
const plainSigns: readonly (readonly [typographic: RegExp, plain: string])[] = [
  [/[‘’‚‛′´`]/g, "'"],
  [/[“”„‟″]/g, '"'],
  [/[‐‑‒–—―−]/g, "-"],
  [/…/g, "..."],
  [/[\u00a0\u2007\u2009\u202f]/g, " "],
];

/** The text with plain signs, if it has only characters of the GSM 7-bit alphabet then: a brand's `’` costs a message otherwise. */
export function withPlainSigns(text: string): string {
  const plain = plainSigns.reduce((result, [typographic, sign]) => result.replace(typographic, sign), text);
  return isGsm7(plain) ? plain : text;
}
