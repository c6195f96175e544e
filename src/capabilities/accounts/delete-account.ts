import { type Caller, credentialOf } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import type { AccountTables } from "./account-tables.ts";
import { isRightPassword, type PasswordDependencies, wrongPassword } from "./check-password.ts";
import { deleteAccountRows, subjectsOfAccount } from "./delete-account-rows.ts";
import { lockAccount, lockSessions } from "./end-sessions.ts";
import { accountOf } from "./find-account.ts";

/** Locks the keys of a workspace that are not revoked, in the order of the index that finds them, and then the workspace. */
async function lockKeys(transaction: QueryableTables, workspaceId: string): Promise<void> {
  await transaction.query((tables: AccountTables) =>
    tables
      .selectFrom("api_key")
      .select("id")
      .where("workspaceId", "=", workspaceId)
      .where("revokedAt", "is", null)
      .orderBy("createdAt", "desc")
      .orderBy("id", "desc")
      .forUpdate(),
  );
  await transaction.query((tables: AccountTables) =>
    tables.selectFrom("workspace").select("id").where("id", "=", workspaceId).forUpdate(),
  );
}

/**
 * Deletes the caller's account: removes the user, and shuts the workspace down with all of its keys. When it returns, no
 * server accepts any of its credentials any more. What the workspace holds is removed soon after (`closedWorkspaceSweep`).
 *
 * Throws, with nothing changed: `invalid_request` without a password, `not_found` if the caller's workspace has no user,
 * `invalid_password` for a wrong one, and `rate_limited` after too many of those. `onAuthorized` runs once the caller's
 * credential is locked, so that nobody else can end it before this is done.
 */
export async function deleteAccount(
  deps: PasswordDependencies & { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  input: { readonly password: string | undefined; readonly clientAddress: string | undefined },
  onAuthorized: () => void,
): Promise<void> {
  const { password, clientAddress } = input;
  if (password === undefined) {
    throw new AppError("invalid_request", "The request must contain the account's password.");
  }
  const account = await accountOf(deps, caller);
  const { userId, workspaceId, tokenRevision } = account;
  if (!(await isRightPassword(deps, account, { password, clientAddress }))) {
    throw wrongPassword();
  }
  const change = async (transaction: QueryableTables) => {
    onAuthorized();
    // Its row is locked, see `lockRows`.
    const [unchanged] = await transaction.query((tables: AccountTables) =>
      tables.selectFrom("account").select("id").where("id", "=", userId).where("tokenRevision", "=", tokenRevision),
    );
    if (unchanged === undefined) {
      // The password was changed or the account deleted after the comparison.
      throw wrongPassword();
    }
    await deleteAccountRows(transaction, [account], "The account was deleted.");
  };
  await deps.revocation.revoke(subjectsOfAccount(account), change, {
    credential: credentialOf(caller),
    async lockRows(transaction) {
      // The account first, as everywhere. Sessions last, so that calls that end one of them wait as short as possible.
      await lockAccount(transaction, userId);
      await lockKeys(transaction, workspaceId);
      await lockSessions(transaction, { workspaceId, userId });
    },
  });
}
