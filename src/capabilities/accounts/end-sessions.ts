import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject, sessionSubject } from "../../revocation/revocation-subjects.ts";
import type { FailedCallLimits } from "./failed-call-limits.ts";
import { accountOf } from "./find-account.ts";
import { parseRefreshToken, type SessionReference } from "./refresh-token-format.ts";

const remove = statement<{ id: string }>("delete_session")(
  { workspaceId: text, id: text },
  (p) => `DELETE FROM session WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} RETURNING id`,
);

/** Ends a session, in the transaction that revokes its subject. False if it had ended before. */
export async function endSession(
  transaction: Queryable,
  { workspaceId, sessionId }: SessionReference,
): Promise<boolean> {
  return (await transaction.run(remove, { workspaceId, id: sessionId })).length > 0;
}

/** The account first, as everybody who locks both does. */
const lock = statement<{ id: string }>("lock_sessions")(
  { workspaceId: text, userId: text },
  (p) => `
    WITH owner AS MATERIALIZED (SELECT id FROM account WHERE id = ${p.userId} FOR UPDATE)
    SELECT session.id FROM session, owner
    WHERE session.workspace_id = ${p.workspaceId} AND session.account_id = owner.id
    ORDER BY session.id FOR UPDATE OF session`,
);

/** Locks an account and its sessions for a change that ends them all. */
export async function lockSessions(
  transaction: Queryable,
  { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string },
): Promise<void> {
  await transaction.run(lock, { workspaceId, userId });
}

interface SignOutDependencies {
  readonly revocation: Pick<RevocationService, "revoke" | "confirmEarlier">;
  readonly tagKey: Buffer;
  readonly failedCallLimits: Pick<FailedCallLimits, "runOfSession">;
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
    await deps.failedCallLimits.runOfSession(
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

const raise = statement("raise_token_revision")(
  { workspaceId: text, userId: text },
  (p) => `
    WITH ended AS (
      DELETE FROM session WHERE workspace_id = ${p.workspaceId} AND account_id = ${p.userId}
    )
    UPDATE account SET token_revision = token_revision + 1 WHERE id = ${p.userId}`,
);

/**
 * Ends every session of the caller's account. When it returns, no server accepts their tokens any more. Keys stay. Throws
 * `not_found` if the caller's workspace has no user. `onAuthorized` runs when nobody else can end the caller's rights any
 * more before this is done, and `beforeCommit` last in the transaction.
 */
export async function logoutAll(
  deps: { readonly database: Queryable; readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  onAuthorized: () => void,
  beforeCommit: (transaction: Queryable) => Promise<void>,
): Promise<void> {
  const { userId, workspaceId } = await accountOf(deps, caller);
  const change = async (transaction: Queryable) => {
    onAuthorized();
    await transaction.run(raise, { workspaceId, userId });
    await beforeCommit(transaction);
  };
  await deps.revocation.revoke([accountSubject(userId)], change, {
    credential: credentialOf(caller),
    lockRows: (transaction) => lockSessions(transaction, { workspaceId, userId }),
  });
}

/** Removes sessions whose time is over. No token of theirs is valid any more, so there is nothing to revoke. */
export function sessionSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepOldest(deps, { table: "session", column: "expires_at", until: "(SELECT byond_now())" });
}
