import type { QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import { accountSubject, workspaceSubject } from "../../revocation/revocation-subjects.ts";
import type { AccountTables } from "./account-tables.ts";
import type { StoredAccount } from "./find-account.ts";

export type AccountReference = Pick<StoredAccount, "userId" | "workspaceId">;

/** The revocation subjects of what goes with an account. */
export function subjectsOfAccount({ userId, workspaceId }: AccountReference): string[] {
  return [accountSubject(userId), workspaceSubject(workspaceId)];
}

/**
 * Removes accounts with their sessions and messages, revokes their keys and shuts their workspaces down, in a transaction that
 * has locked the accounts and revokes `subjectsOfAccount` of each. A key that is made meanwhile is refused with its workspace. What the workspaces hold is removed soon after
 * (`closedWorkspaceSweep`).
 */
export async function deleteAccountRows(
  transaction: QueryableTables,
  accounts: readonly AccountReference[],
  revocationReason: string,
): Promise<void> {
  if (accounts.length === 0) {
    return;
  }
  const userIds = accounts.map(({ userId }) => userId);
  const workspaceIds = accounts.map(({ workspaceId }) => workspaceId);
  await transaction.query((tables: AccountTables) => tables.deleteFrom("account").where("id", "in", userIds));
  await transaction.query((tables: AccountTables) =>
    tables
      .updateTable("api_key")
      .set({ revokedAt: databaseTime, revocationReason })
      .where("workspaceId", "in", workspaceIds)
      .where("revokedAt", "is", null),
  );
  await transaction.query((tables: AccountTables) =>
    tables
      .updateTable("workspace")
      .set((eb) => ({ deactivatedAt: eb.fn.coalesce("deactivatedAt", databaseTime), name: "", ipAllowlist: null }))
      .where("id", "in", workspaceIds),
  );
  await transaction.query((tables: AccountTables) =>
    tables.deleteFrom("session").where("workspaceId", "in", workspaceIds),
  );
  await removeMessages(transaction, accounts);
}

/** Removes the messages that tell accounts of their end, with what is recorded of their delivery. */
export async function removeMessages(
  transaction: QueryableTables,
  accounts: readonly AccountReference[],
): Promise<void> {
  for (const table of ["delivery_attempt", "outbox"] as const) {
    await transaction.query((tables: AccountTables) =>
      tables.deleteFrom(table).where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple("workspaceId", "subjectId"),
          "in",
          accounts.map(({ workspaceId, userId }) => tuple(workspaceId, userId)),
        ),
      ),
    );
  }
}
