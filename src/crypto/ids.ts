import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 62 that fits a byte. Bytes from here on are discarded, so that every letter is equally likely. */
const unbiasedBelow = 248;

/** The kinds of things that have ids. */
export type IdPrefix = "vrf" | "key" | "usr" | "ws" | "req" | "dlv" | "att" | "srv";

/** A new id: the prefix, `_`, and 22 random letters and digits (131 bits). */
export function createId(prefix: IdPrefix): string {
  return `${prefix}_${randomBase62(22)}`;
}

/** Whether a text has the form of an id of this kind. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9A-Za-z]{22}$/.test(text.slice(prefix.length + 1));
}

/** `length` letters and digits, each as likely as any other, from the system's secure random numbers. */
export function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length + 8)) {
      if (byte < unbiasedBelow && text.length < length) {
        text += alphabet[byte % 62];
      }
    }
  }
  return text;
}

/** Writes bytes as a base62 number, most significant first, padded with zeros to `length`. Throws if it does not fit. */
export function encodeBase62(bytes: Uint8Array, length: number): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
  let text = "";
  while (number > 0n) {
    text = alphabet[Number(number % 62n)] + text;
    number /= 62n;
  }
  if (text.length > length) {
    throw new RangeError(`${bytes.length} bytes do not fit ${length} base62 digits`);
  }
  return text.padStart(length, "0");
}
