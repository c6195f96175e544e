import type { Queryable } from "../database/database.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import { sessionSubject } from "../revocation/revocation-subjects.ts";
import { endSession } from "./end-session.ts";
import { parseRefreshToken } from "./refresh-token.ts";

/**
 * Ends the session of a refresh token, also of one that was used before. When it returns, no server accepts the session's
 * tokens any more. Nothing is written where nothing ends: for a session that has ended, and a token that was not made here: false then.
 */
export async function signOut(
  deps: { readonly revocation: Pick<RevocationService, "revoke" | "confirmEarlier">; readonly tagKey: Buffer },
  input: { readonly refreshToken: string },
): Promise<boolean> {
  const session = parseRefreshToken(input.refreshToken, deps.tagKey);
  if (session === undefined) {
    return false;
  }
  const end = (transaction: Queryable) => endSession(transaction, session);
  const hasEnded = await deps.revocation.revoke([sessionSubject(session.sessionId)], end, {
    hasRevoked: (ended) => ended,
  });
  if (!hasEnded) {
    // Whoever ended it may have died before that held everywhere.
    await deps.revocation.confirmEarlier();
  }
  return hasEnded;
}
