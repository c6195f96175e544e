/** The characters of the GSM 7-bit alphabet that take one septet each (3GPP TS 23.038 §6.2.1). */
const basic = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** Those of its extension table, which take two: an escape comes before them (§6.2.1.1). */
const extended = new Set("\f^{}\\[~]|€");

/** How many septets or UTF-16 units there are in a message of one part, and in each part of several: six bytes are a header there. */
const gsm7 = { alone: 160, part: 153 } as const;
const ucs2 = { alone: 70, part: 67 } as const;

/** Of a text message with a text of a workspace's own. */
export const maxSegments = 3;

export function isGsm7(text: string): boolean {
  return [...text].every((character) => basic.has(character) || extended.has(character));
}

/**
 * The parts that a text message is sent in, which carriers charge for: in GSM 7-bit if it has all characters, else in UCS-2. An escaped
 * character or a surrogate pair is not divided.
 */
export function countSegments(text: string): number {
  const characters = [...text];
  const inGsm7 = isGsm7(text);
  const lengths = characters.map((character) => (inGsm7 ? (basic.has(character) ? 1 : 2) : character.length));
  const { alone, part } = inGsm7 ? gsm7 : ucs2;
  if (lengths.reduce((sum, length) => sum + length, 0) <= alone) {
    return 1;
  }
  let segments = 1;
  let used = 0;
  for (const length of lengths) {
    if (used + length > part) {
      segments += 1;
      used = 0;
    }
    used += length;
  }
  return segments;
}
