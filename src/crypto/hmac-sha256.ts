import { hash } from "node:crypto";

const blockBytes = 64;
const hashBytes = 32;
const innerPad = 0x36;
const outerPad = 0x5c;

/**
 * HMAC-SHA256 (RFC 2104) of a text under a key of at most 64 bytes, for code that runs on every request. Built from one-shot
 * hashes, which take a tenth of the time of Node's `createHmac`.
 */
export function hmacSha256(key: Uint8Array, text: string): Buffer {
  if (key.length > blockBytes) {
    throw new RangeError(`a key of ${key.length} bytes is longer than a block`);
  }
  const pads = padsOf(key);
  const message = Buffer.allocUnsafe(blockBytes + Buffer.byteLength(text));
  pads.inner.copy(message);
  message.write(text, blockBytes);
  // As text of one character per byte: a buffer for each result would take Node longer than the hash itself.
  pads.outerAndInnerHash.write(hash("sha256", message, "binary"), blockBytes, "latin1");
  return Buffer.from(hash("sha256", pads.outerAndInnerHash, "binary"), "latin1");
}

interface Pads {
  readonly inner: Buffer;
  /** Behind the pad there is room for the inner hash, which each call writes anew. */
  readonly outerAndInnerHash: Buffer;
}

/** Of keys that last as long as the process, so that each call does not pad its key again. A key must not be changed in place. */
const padsByKey = new WeakMap<Uint8Array, Pads>();

function padsOf(key: Uint8Array): Pads {
  let pads = padsByKey.get(key);
  if (pads === undefined) {
    const outerAndInnerHash = Buffer.concat([padded(key, outerPad)], blockBytes + hashBytes);
    pads = { inner: padded(key, innerPad), outerAndInnerHash };
    padsByKey.set(key, pads);
  }
  return pads;
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(blockBytes, pad);
  for (const [index, byte] of key.entries()) {
    block[index] = byte ^ pad;
  }
  return block;
}
