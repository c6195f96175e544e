import { randomFillSync } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 62 that fits a byte. Bytes from here on are discarded, so that every letter is equally likely. */
const unbiasedBelow = 248;

/** The kinds of things that have ids. */
export type IdPrefix =
  | "vrf"
  | "key"
  | "usr"
  | "ws"
  | "req"
  | "dlv"
  | "att"
  | "srv"
  | "evt"
  | "whk"
  | "sup"
  | "fix"
  | "lkp"
  | "gue"
  | "gbl"
  | "gsl"
  | "grf"
  | "rsv"
  | "chg";

/**
 * A new id: the prefix, `_`, the milliseconds since 1970 as 8 base62 digits, and 14 random ones (83 bits). What is made one after the
 * other stands side by side in an index (decision 38). Older ids are 22 random digits: nothing can be read from an id.
 */
export function createId(prefix: IdPrefix): string {
  return `${prefix}_${digitsOf(Date.now()).padStart(timeDigits, "0")}${randomBase62(idDigits - timeDigits)}`;
}

const idDigits = 22;
const timeDigits = 8;

/** Whether a text has the form of an id of this kind. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9A-Za-z]{22}$/.test(text.slice(prefix.length + 1));
}

/** `length` letters and digits, each as likely as any other, from the system's secure random numbers. */
export function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    const byte = randomByte();
    if (byte < unbiasedBelow) {
      text += alphabet[byte % 62];
    }
  }
  return text;
}

/** Asking the system takes longer than making a hundred ids: it is asked for many bytes at once. */
const pool = Buffer.alloc(4_096);
let usedOfPool = pool.length;

/** Each byte of the pool is given once, and does not stay in memory. */
function randomByte(): number {
  if (usedOfPool === pool.length) {
    randomFillSync(pool);
    usedOfPool = 0;
  }
  const byte = pool.readUInt8(usedOfPool);
  pool.writeUInt8(0, usedOfPool);
  usedOfPool += 1;
  return byte;
}

/** So many bytes are a number that JavaScript calculates exactly. */
const safeBytes = 6;

/** Writes bytes as a base62 number, most significant first, padded with zeros to `length`. Throws if it does not fit. */
export function encodeBase62(bytes: Uint8Array, length: number): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text =
    buffer.length > 0 && buffer.length <= safeBytes
      ? digitsOf(buffer.readUIntBE(0, buffer.length))
      : digitsOfBig(BigInt(`0x${buffer.toString("hex") || "0"}`));
  if (text.length > length) {
    throw new RangeError(`${bytes.length} bytes do not fit ${length} base62 digits`);
  }
  return text.padStart(length, "0");
}

function digitsOf(number: number): string {
  let text = "";
  for (let rest = number; rest > 0; rest = Math.floor(rest / 62)) {
    text = alphabet[rest % 62] + text;
  }
  return text;
}

function digitsOfBig(number: bigint): string {
  let text = "";
  for (let rest = number; rest > 0n; rest /= 62n) {
    text = alphabet[Number(rest % 62n)] + text;
  }
  return text;
}
