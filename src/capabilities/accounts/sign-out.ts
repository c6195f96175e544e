import type { Queryable } from "../../database/database.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { sessionSubject } from "../../revocation/revocation-subjects.ts";
import { endSession } from "./end-session.ts";
import type { FruitlessCalls } from "./fruitless-calls.ts";
import { parseRefreshToken, type SessionReference } from "./refresh-token.ts";

interface SignOutDependencies {
  readonly revocation: Pick<RevocationService, "revoke" | "confirmEarlier">;
  readonly tagKey: Buffer;
  readonly fruitlessCalls: Pick<FruitlessCalls, "runOfSession">;
}

/**
 * Ends the session of a refresh token, also of one that was used before. When it returns, no server accepts the session's
 * tokens any more. Nothing is written where nothing ends: for a session that has ended, and a token that was not made here.
 * Throws `rate_limited` after too many calls for a session that has ended, or from one source for such sessions.
 */
export async function signOut(
  deps: SignOutDependencies,
  input: { readonly refreshToken: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const session = parseRefreshToken(input.refreshToken, deps.tagKey);
  if (session !== undefined) {
    await deps.fruitlessCalls.runOfSession(
      session,
      input,
      () => endAndRevoke(deps, session),
      (hasEnded) => !hasEnded,
    );
  }
}

/** False if it had ended before. */
async function endAndRevoke({ revocation }: SignOutDependencies, session: SessionReference): Promise<boolean> {
  const end = (transaction: Queryable) => endSession(transaction, session);
  const hasEnded = await revocation.revoke([sessionSubject(session.sessionId)], end, {
    hasRevoked: (ended) => ended,
  });
  if (!hasEnded) {
    // Whoever ended it may have died before that held everywhere.
    await revocation.confirmEarlier();
  }
  return hasEnded;
}
