import type { RevocationService } from "../revocation/revocation-service.ts";
import { sessionSubject } from "../revocation/revocation-subjects.ts";
import { endSession } from "./end-session.ts";
import { parseRefreshToken } from "./refresh-token.ts";

/**
 * Ends the session of a refresh token, also of one that was used before. When it returns, no server accepts the session's
 * tokens any more. Nothing happens for a token that was not made here.
 */
export async function signOut(
  deps: { readonly revocation: Pick<RevocationService, "revoke">; readonly tagKey: Buffer },
  input: { readonly refreshToken: string },
): Promise<void> {
  const session = parseRefreshToken(input.refreshToken, deps.tagKey);
  if (session !== undefined) {
    await deps.revocation.revoke([sessionSubject(session.sessionId)], (transaction) =>
      endSession(transaction, session),
    );
  }
}
