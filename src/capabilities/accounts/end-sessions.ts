import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepOldest } from "../../database/table-sweeps.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject, sessionSubject } from "../../revocation/revocation-subjects.ts";
import type { AccountTables } from "./account-tables.ts";
import type { FailedCallLimits } from "./failed-call-limits.ts";
import { accountOf } from "./find-account.ts";
import { parseRefreshToken, type SessionReference } from "./refresh-token-format.ts";

/** Ends a session, in the transaction that revokes its subject. False if it had ended before. */
export async function endSession(
  transaction: QueryableTables,
  { workspaceId, sessionId }: SessionReference,
): Promise<boolean> {
  const ended = await transaction.query((tables: AccountTables) =>
    tables.deleteFrom("session").where("workspaceId", "=", workspaceId).where("id", "=", sessionId).returning("id"),
  );
  return ended.length > 0;
}

/** Locks an account; rows that belong to it are locked after it. False if the account was deleted. */
export async function lockAccount(transaction: QueryableTables, userId: string): Promise<boolean> {
  const locked = await transaction.query((tables: AccountTables) =>
    tables.selectFrom("account").select("id").where("id", "=", userId).forUpdate(),
  );
  return locked.length > 0;
}

/** Locks an account and its sessions for a change that ends them all. */
export async function lockSessions(
  transaction: QueryableTables,
  { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string },
): Promise<void> {
  if (await lockAccount(transaction, userId)) {
    await transaction.query((tables: AccountTables) =>
      tables
        .selectFrom("session")
        .select("id")
        .where("workspaceId", "=", workspaceId)
        .where("accountId", "=", userId)
        .orderBy("id")
        .forUpdate(),
    );
  }
}

interface SignOutDependencies {
  readonly revocation: Pick<RevocationService, "revoke" | "confirmEarlier">;
  readonly tagKey: Buffer;
  readonly failedCallLimits: Pick<FailedCallLimits, "runOfSession">;
}

/**
 * Ends the session of a refresh token, also of a used one. When it returns, no server accepts the session's tokens any more.
 * Writes nothing for a session that has ended or a forged token. Throws `rate_limited` after too many calls for sessions
 * that have ended.
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

/** Returns false if the session had ended before. */
async function endAndRevoke({ revocation }: SignOutDependencies, session: SessionReference): Promise<boolean> {
  const end = (transaction: QueryableTables) => endSession(transaction, session);
  const hasEnded = await revocation.revoke([sessionSubject(session.sessionId)], end, {
    hasRevoked: (ended) => ended,
  });
  if (!hasEnded) {
    // Whoever ended it may have died before that held everywhere.
    await revocation.confirmEarlier();
  }
  return hasEnded;
}

/** Removes the sessions of an account. No access token of theirs is accepted once its `tokenRevision` is raised too. */
export async function removeSessions(
  transaction: QueryableTables,
  { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string },
): Promise<void> {
  await transaction.query((tables: AccountTables) =>
    tables.deleteFrom("session").where("workspaceId", "=", workspaceId).where("accountId", "=", userId),
  );
}

/**
 * Ends every session of the caller's account; keys stay. When it returns, no server accepts their tokens any more. Throws
 * `not_found` if the caller's workspace has no user. `onAuthorized` runs once the caller's credential is locked, so that
 * nobody else can end it before this is done; `beforeCommit` runs last in the transaction.
 */
export async function logoutAll(
  deps: { readonly database: QueryableTables; readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  onAuthorized: () => void,
  beforeCommit: (transaction: QueryableTables) => Promise<void>,
): Promise<void> {
  const { userId, workspaceId } = await accountOf(deps, caller);
  const change = async (transaction: QueryableTables) => {
    onAuthorized();
    await removeSessions(transaction, { workspaceId, userId });
    await transaction.query((tables: AccountTables) =>
      tables
        .updateTable("account")
        .set((eb) => ({ tokenRevision: eb("tokenRevision", "+", 1) }))
        .where("id", "=", userId),
    );
    await beforeCommit(transaction);
  };
  await deps.revocation.revoke([accountSubject(userId)], change, {
    credential: credentialOf(caller),
    lockRows: (transaction) => lockSessions(transaction, { workspaceId, userId }),
  });
}

/** Removes expired sessions. None of their tokens is valid any more, so nothing has to be revoked. */
export function sessionSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepOldest(deps, { table: "session", column: "expires_at", until: "(SELECT byond_now())" });
}
