import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Mode } from "../../access/caller.ts";
import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import { encodeBase62, randomBase62 } from "../../crypto/ids.ts";

/** An API key, taken apart. */
export interface ParsedKey {
  /** The whole key, as presented. */
  readonly key: string;
  /** `pk_live_<12>` or `pk_test_<12>`, or a whole publishable key. Not a secret. */
  readonly prefix: string;
  readonly mode: Mode;
}

const secretBytes = 24;
/** 24 bytes need 33 digits. */
const secretDigits = 33;
const tagBytes = 6;
/** 6 bytes need 9 digits. */
const tagDigits = 9;
const keyPattern = /^pk_(?:(live|test)_[0-9A-Za-z]{12}\.[0-9A-Za-z]{42}|pub_(live|test)_[0-9A-Za-z]{21})$/;

/** The lengths that keys have, in characters: of a secret one, and of a publishable one. */
export const presentedKeyLengths: ReadonlySet<number> = new Set([
  "pk_live_".length + 12 + ".".length + secretDigits + tagDigits,
  "pk_pub_live_".length + 12 + tagDigits,
]);

/**
 * A new key: `pk_<mode>_<12>.<42>`, base62. The secret is 24 random bytes and a short tag, so that a forged key is
 * recognised without reading anything.
 */
export function generateKey(mode: Mode, tagKey: Buffer): ParsedKey {
  const prefix = `pk_${mode}_${randomBase62(12)}`;
  const untagged = `${prefix}.${encodeBase62(randomBytes(secretBytes), secretDigits)}`;
  return { key: untagged + tagOf(untagged, tagKey), prefix, mode };
}

/** A new publishable key: `pk_pub_<mode>_<21>`, base62. It has no secret; the last digits are a tag, as those of other keys are. */
export function generatePublishableKey(mode: Mode, tagKey: Buffer): ParsedKey {
  const untagged = `pk_pub_${mode}_${randomBase62(12)}`;
  const key = untagged + tagOf(untagged, tagKey);
  return { key, prefix: key, mode };
}

/**
 * Takes a presented key apart. Undefined if it is not of the form or its tag is wrong: then no server of this
 * installation ever made it. A right tag proves nothing more; the secret must still be compared.
 */
export function parseKey(key: string, tagKey: Buffer): ParsedKey | undefined {
  const [, secretMode, mode = secretMode] = keyPattern.exec(key) ?? [];
  if (mode !== "live" && mode !== "test") {
    return undefined;
  }
  const tag = tagOf(key.slice(0, -tagDigits), tagKey);
  if (!timingSafeEqual(Buffer.from(key.slice(-tagDigits)), Buffer.from(tag))) {
    return undefined;
  }
  return { key, prefix: prefixOf(key), mode };
}

/** The part of a key before the dot: all of it, if it is publishable. */
export function prefixOf(key: string): string {
  const dot = key.indexOf(".");
  return dot === -1 ? key : key.slice(0, dot);
}

function tagOf(untagged: string, tagKey: Buffer): string {
  return encodeBase62(hmacSha256(tagKey, untagged).subarray(0, tagBytes), tagDigits);
}
