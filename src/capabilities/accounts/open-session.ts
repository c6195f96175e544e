import { randomBase62 } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { bytea, integer, nullable, statement, text } from "../../database/statement.ts";
import type { AccessTokens, SessionClaims } from "./access-tokens.ts";
import { accessTokenSeconds, refreshTokenDays } from "./accounts.policy.ts";
import { insertKnownSource, sourceIndexes } from "./known-sources.ts";
import { generateRefreshToken } from "./refresh-token-format.ts";

/** An account as it was when its user authenticated. */
export interface SignedInAccount {
  readonly userId: string;
  readonly workspaceId: string;
  readonly tokenRevision: number;
}

/** The tokens of a session. */
export interface SessionGrant {
  readonly userId: string;
  readonly workspaceId: string;
  readonly accessToken: string;
  /** How long the access token is valid, in seconds. */
  readonly expiresIn: number;
  readonly refreshToken: string;
  /** When the session ends, however often it is refreshed. */
  readonly sessionExpiresAt: Date;
}

export interface SessionDependencies {
  readonly database: Queryable;
  readonly accessTokens: AccessTokens;
  readonly tagKey: Buffer;
  readonly keyring: Keyring;
  /** How long a session lasts, from the sign-in on. */
  readonly sessionMaxDays: number;
}

/** SQL of how long a refresh token can be used, if its session does not end before. */
export const refreshTokenLife = `interval '${refreshTokenDays} days'`;

/** SQL of when a session ends that began at a time. `maxDays` is SQL of `sessionMaxDays`. */
export const sessionEnd = (createdAt: string, maxDays: string) => `${createdAt} + ${maxDays} * interval '1 day'`;

/** SQL of the seconds until a time, or until an access token's life is over, whichever comes first. */
export const tokenSecondsUntil = (end: string) =>
  `greatest(1, least(${accessTokenSeconds}, floor(extract(epoch FROM ${end} - byond_now()))))::integer`;

/**
 * Inserts a session, unless the account's revision was raised meanwhile, and remembers the source. Expired sessions are left to
 * the sweep: looking for them reads every session of the account.
 */
const insert = statement<SessionTimes>("insert_session")(
  {
    workspaceId: text,
    id: text,
    userId: text,
    tokenRevision: integer,
    refreshHash: bytea,
    maxDays: integer,
    source: nullable(bytea),
  },
  (p) => `
    WITH signed_in AS (
      SELECT id, token_revision, byond_now() AS now FROM account
      WHERE id = ${p.userId} AND token_revision = ${p.tokenRevision} FOR KEY SHARE
    ), remembered AS (
      ${insertKnownSource(`SELECT id, ${p.source}, now FROM signed_in WHERE ${p.source} IS NOT NULL`)}
    )
    INSERT INTO session (
      workspace_id, id, account_id, token_revision, refresh_hash, created_at, refreshed_at, expires_at
    )
    SELECT ${p.workspaceId}, ${p.id}, id, token_revision, ${p.refreshHash}, now, now,
      least(now + ${refreshTokenLife}, ${sessionEnd("now", p.maxDays)})
    FROM signed_in
    RETURNING
      ${sessionEnd("created_at", p.maxDays)} AS ends_at,
      ${tokenSecondsUntil(sessionEnd("created_at", p.maxDays))} AS seconds`,
);

/**
 * Begins a session and remembers its source. Undefined if all sessions of the account were ended since, or the account was
 * deleted.
 */
export async function openSession(
  deps: SessionDependencies,
  { userId, workspaceId, tokenRevision }: SignedInAccount,
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<SessionGrant | undefined> {
  const sessionId = randomBase62(22);
  const refresh = generateRefreshToken({ workspaceId, sessionId }, deps.tagKey);
  const [source = null] = sourceIndexes(deps.keyring, userId, clientAddress);
  const [row] = await deps.database.run(insert, {
    workspaceId,
    id: sessionId,
    userId,
    tokenRevision,
    refreshHash: refresh.hash,
    maxDays: deps.sessionMaxDays,
    source,
  });
  return row && grantTokens(deps, { userId, workspaceId, sessionId, tokenRevision }, row, refresh.token);
}

/** The times of a session, by the database's clock. */
export interface SessionTimes {
  readonly endsAt: Date;
  /** How long its next access token is valid. */
  readonly seconds: number;
}

/** The next tokens of a session. */
export async function grantTokens(
  { accessTokens }: Pick<SessionDependencies, "accessTokens">,
  claims: SessionClaims,
  { endsAt: sessionExpiresAt, seconds: expiresIn }: SessionTimes,
  refreshToken: string,
): Promise<SessionGrant> {
  const { userId, workspaceId } = claims;
  const accessToken = await accessTokens.sign(claims, expiresIn);
  return { userId, workspaceId, accessToken, expiresIn, refreshToken, sessionExpiresAt };
}
