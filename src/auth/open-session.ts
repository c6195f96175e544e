import type { Queryable } from "../database/database.ts";
import { randomBase62 } from "../ids.ts";
import { generateRefreshToken } from "./refresh-token.ts";
import { accessTokenSeconds, type SessionClaims, type SessionTokens } from "./session-tokens.ts";

/** A user's account as it was when they showed that it is theirs. */
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
}

export interface SessionDependencies {
  readonly database: Queryable;
  readonly sessionTokens: SessionTokens;
  readonly tagKey: Buffer;
}

/** SQL of how long a refresh token can be used. */
export const refreshTokenLife = "interval '30 days'";

/** No session begins once the account's revision was raised. Sessions whose time is over go, so that they do not pile up. */
const insert = {
  name: "insert_session",
  text: `
    WITH ended AS (
      DELETE FROM session WHERE workspace_id = $1 AND account_id = $3 AND expires_at <= byond_now()
    )
    INSERT INTO session (
      workspace_id, id, account_id, token_revision, refresh_hash, created_at, refreshed_at, expires_at
    )
    SELECT $1, $2, id, token_revision, $5, now, now, now + ${refreshTokenLife}
    FROM account, byond_now() AS now
    WHERE id = $3 AND token_revision = $4
    RETURNING true AS is_open`,
};

/** Begins a session. Undefined if all sessions of the account were ended since, or the account was deleted. */
export async function openSession(
  deps: SessionDependencies,
  { userId, workspaceId, tokenRevision }: SignedInAccount,
): Promise<SessionGrant | undefined> {
  const sessionId = randomBase62(22);
  const refresh = generateRefreshToken({ workspaceId, sessionId }, deps.tagKey);
  const values = [workspaceId, sessionId, userId, tokenRevision, refresh.hash];
  const rows = await deps.database.query(insert, values);
  return rows.length === 0
    ? undefined
    : grantTokens(deps, { userId, workspaceId, sessionId, tokenRevision }, refresh.token);
}

/** The next tokens of a session. */
export async function grantTokens(
  { sessionTokens }: Pick<SessionDependencies, "sessionTokens">,
  claims: SessionClaims,
  refreshToken: string,
): Promise<SessionGrant> {
  const { userId, workspaceId } = claims;
  const accessToken = await sessionTokens.sign(claims);
  return { userId, workspaceId, accessToken, expiresIn: accessTokenSeconds, refreshToken };
}
