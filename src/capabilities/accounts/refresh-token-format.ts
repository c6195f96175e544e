/** How a refresh token is written. How long one lives: `accounts.policy.ts`. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import { encodeBase62 } from "../../crypto/ids.ts";
import type { MasterSecret } from "../../crypto/keyring.ts";

/** Which session a refresh token belongs to. */
export interface SessionReference {
  readonly workspaceId: string;
  readonly sessionId: string;
}

/** A parsed refresh token, and its hash in the database. */
export interface RefreshToken extends SessionReference {
  /** SHA-256 of the token: it has 192 random bits, which nobody guesses from a hash. */
  readonly hash: Buffer;
}

export interface NewRefreshToken extends RefreshToken {
  readonly token: string;
}

const secretBytes = 24;
/** 24 bytes need 33 digits. */
const secretDigits = 33;
const tagBytes = 6;
/** 6 bytes need 9 digits. */
const tagDigits = 9;
const pattern = /^rt_([0-9A-Za-z]{22})\.([0-9A-Za-z]{22})\.[0-9A-Za-z]{42}$/;

/**
 * The first refresh token of a session: `rt_<workspace>.<session>.<42>`. It ends in a short tag, as API keys do: only a token with a right
 * tag was ever made here, so that a made-up one is refused without reading anything, and cannot pass for a used one, which
 * ends its session.
 */
export function generateRefreshToken(session: SessionReference, tagKey: Buffer): NewRefreshToken {
  return writeToken(session, randomBytes(secretBytes), tagKey);
}

/**
 * The token that follows one. It is always the same for a master secret, so that a client that has lost it gets it again
 * from any server, although the database holds only its hash. Without the master secret, a token reveals nothing about the
 * next.
 */
export function succeedingToken(presented: RefreshToken, secret: MasterSecret, tagKey: Buffer): NewRefreshToken {
  const { workspaceId, sessionId, hash } = presented;
  const text = `${workspaceId}.${sessionId}.${hash.toString("hex")}`;
  const next = hmacSha256(secret.subkey("refresh-token"), text).subarray(0, secretBytes);
  return writeToken(presented, next, tagKey);
}

function writeToken({ workspaceId, sessionId }: SessionReference, bytes: Buffer, tagKey: Buffer): NewRefreshToken {
  const secret = encodeBase62(bytes, secretDigits);
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
