import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "../hmac-sha256.ts";
import { encodeBase62 } from "../ids.ts";

/** Which session a refresh token belongs to. */
export interface SessionReference {
  readonly workspaceId: string;
  readonly sessionId: string;
}

/** What a refresh token says, and how the database knows it. */
export interface RefreshToken extends SessionReference {
  /** SHA-256 of the token: it has 192 random bits, which nobody guesses from a hash. */
  readonly hash: Buffer;
}

const secretBytes = 24;
/** 24 bytes need 33 digits. */
const secretDigits = 33;
const tagBytes = 6;
/** 6 bytes need 9 digits. */
const tagDigits = 9;
const pattern = /^rt_([0-9A-Za-z]{22})\.([0-9A-Za-z]{22})\.[0-9A-Za-z]{42}$/;

/**
 * A new refresh token: `rt_<workspace>.<session>.<42>`. It ends in a short tag, as API keys do: only a token with a right
 * tag was ever made here, so that a made-up one is refused without reading anything, and cannot pass for a used one, which
 * ends its session.
 */
export function generateRefreshToken(
  { workspaceId, sessionId }: SessionReference,
  tagKey: Buffer,
): RefreshToken & { readonly token: string } {
  const secret = encodeBase62(randomBytes(secretBytes), secretDigits);
  const untagged = `rt_${workspaceId.slice(workspaceIdPrefix.length)}.${sessionId}.${secret}`;
  const token = untagged + tagOf(untagged, tagKey);
  return { workspaceId, sessionId, token, hash: hashOf(token) };
}

/** Takes a presented token apart. Undefined if no server of this installation made it. */
export function parseRefreshToken(token: string, tagKey: Buffer): RefreshToken | undefined {
  const [, workspace, sessionId] = pattern.exec(token) ?? [];
  if (workspace === undefined || sessionId === undefined) {
    return undefined;
  }
  const expected = tagOf(token.slice(0, -tagDigits), tagKey);
  if (!timingSafeEqual(Buffer.from(token.slice(-tagDigits)), Buffer.from(expected))) {
    return undefined;
  }
  return { workspaceId: workspaceIdPrefix + workspace, sessionId, hash: hashOf(token) };
}

const workspaceIdPrefix = "ws_";

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function tagOf(untagged: string, tagKey: Buffer): string {
  return encodeBase62(hmacSha256(tagKey, untagged).subarray(0, tagBytes), tagDigits);
}
