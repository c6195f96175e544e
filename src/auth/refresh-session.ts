import type { Queryable } from "../database/database.ts";
import { AppError } from "../errors.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import { sessionSubject } from "../revocation/revocation-subjects.ts";
import { endSession } from "./end-session.ts";
import { grantTokens, refreshTokenLife, type SessionDependencies, type SessionGrant } from "./open-session.ts";
import { generateRefreshToken, parseRefreshToken, type SessionReference } from "./refresh-token.ts";

/** One of two calls with the same token finds its hash; the other is the second use. */
const rotate = {
  name: "rotate_refresh_token",
  text: `
    UPDATE session SET refresh_hash = $4, refreshed_at = byond_now(), expires_at = byond_now() + ${refreshTokenLife}
    FROM account
    WHERE session.workspace_id = $1 AND session.id = $2 AND session.refresh_hash = $3
      AND session.expires_at > byond_now()
      AND account.id = session.account_id AND account.token_revision = session.token_revision
    RETURNING session.account_id, session.token_revision`,
};

/**
 * Exchanges a refresh token for the next tokens of its session. A token works once (RFC 9700 §4.14.2): one that was made
 * here and is not the session's current one has been copied, and ends the session on every server. Throws `invalid_api_key`
 * for it, and for one that is malformed, forged or too old.
 */
export async function refreshSession(
  deps: SessionDependencies & { readonly revocation: Pick<RevocationService, "revoke"> },
  input: { readonly refreshToken: string },
): Promise<SessionGrant> {
  const presented = parseRefreshToken(input.refreshToken, deps.tagKey);
  if (presented === undefined) {
    throw refused();
  }
  const { workspaceId, sessionId } = presented;
  const next = generateRefreshToken(presented, deps.tagKey);
  const [row] = await deps.database.query<{ account_id: string; token_revision: number }>(rotate, [
    workspaceId,
    sessionId,
    presented.hash,
    next.hash,
  ]);
  if (row === undefined) {
    await endCopiedSession(deps, presented);
    throw refused();
  }
  const claims = { userId: row.account_id, workspaceId, sessionId, tokenRevision: row.token_revision };
  return grantTokens(deps, claims, next.token);
}

/** Most tokens that come here are of sessions that have ended: nothing is revoked then. */
async function endCopiedSession(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  session: SessionReference,
): Promise<void> {
  const end = (transaction: Queryable) => endSession(transaction, session);
  await deps.revocation.revoke([sessionSubject(session.sessionId)], end, { isNeeded: (hasEnded) => hasEnded });
}

function refused(): AppError {
  return new AppError("invalid_api_key", "The refresh token is invalid, has expired, or was used before.");
}
