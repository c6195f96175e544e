import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { integer, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject, workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { wrongPassword } from "./change-password.ts";
import { isRightPassword, type PasswordDependencies } from "./check-password.ts";
import { lockSessions } from "./end-sessions.ts";
import { accountOf } from "./find-account.ts";

const lockAccount = statement<{ id: string }>("lock_account")(
  { id: text },
  (p) => `SELECT id FROM account WHERE id = ${p.id} FOR UPDATE`,
);

const lockKeys = statement<{ id: string }>("lock_keys_of_workspace")(
  { workspaceId: text },
  (p) => `
    WITH keys AS MATERIALIZED (
      SELECT id FROM api_key WHERE workspace_id = ${p.workspaceId} AND revoked_at IS NULL ORDER BY id FOR UPDATE
    )
    SELECT id FROM workspace WHERE id = ${p.workspaceId} AND (SELECT count(*) FROM keys) >= 0 FOR UPDATE`,
);

const remove = statement<{ id: string }>("delete_account")(
  { workspaceId: text, userId: text, tokenRevision: integer },
  (p) => `
    WITH deleted AS (
      DELETE FROM account WHERE id = ${p.userId} AND token_revision = ${p.tokenRevision} RETURNING id
    ), ended AS (
      DELETE FROM session WHERE workspace_id = ${p.workspaceId} AND EXISTS (SELECT FROM deleted)
    ), revoked AS (
      UPDATE api_key SET revoked_at = byond_now(), revocation_reason = 'The account was deleted.'
      WHERE workspace_id = ${p.workspaceId} AND revoked_at IS NULL AND EXISTS (SELECT FROM deleted)
    ), deactivated AS (
      UPDATE workspace SET deactivated_at = coalesce(deactivated_at, byond_now()), name = '', ip_allowlist = NULL
      WHERE id = ${p.workspaceId} AND EXISTS (SELECT FROM deleted)
    ), attempts AS (
      DELETE FROM delivery_attempt
      WHERE workspace_id = ${p.workspaceId} AND subject_id = ${p.userId} AND EXISTS (SELECT FROM deleted)
    ), messages AS (
      DELETE FROM outbox
      WHERE workspace_id = ${p.workspaceId} AND subject_id = ${p.userId} AND EXISTS (SELECT FROM deleted)
    )
    SELECT id FROM deleted`,
);

/**
 * Deletes the caller's account: the user is removed, and the workspace shut down with all of its keys. When it returns, no
 * server accepts any of its credentials any more. What the workspace holds is removed soon after (`closedWorkspaceSweep`).
 *
 * Throws, with nothing touched: `invalid_request` without a password, `not_found` if the caller's workspace has no user,
 * `invalid_password` for a wrong one, and `rate_limited` after too many of those. `onAuthorized` runs when nobody else can
 * end the caller's rights any more before this is done.
 */
export async function deleteAccount(
  deps: PasswordDependencies & { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  input: { readonly password: string | undefined; readonly clientAddress: string | undefined },
  onAuthorized: () => void,
): Promise<void> {
  const { password, clientAddress } = input;
  if (password === undefined) {
    throw new AppError("invalid_request", "The request must hold the account's password.");
  }
  const account = await accountOf(deps, caller);
  const { userId, workspaceId, tokenRevision } = account;
  if (!(await isRightPassword(deps, account, { password, clientAddress }))) {
    throw wrongPassword();
  }
  const change = async (transaction: Queryable) => {
    onAuthorized();
    if ((await transaction.run(remove, { workspaceId, userId, tokenRevision })).length === 0) {
      // The password was changed in between, or the account deleted: what was compared is not the account's any more.
      throw wrongPassword();
    }
  };
  const subjects = [accountSubject(userId), workspaceSubject(workspaceId)];
  await deps.revocation.revoke(subjects, change, {
    credential: credentialOf(caller),
    async lockRows(transaction) {
      // The account first, as everybody does who locks it and what is its own; sessions last: whoever ends one of them
      // meanwhile is not kept waiting for the others.
      await transaction.run(lockAccount, { id: userId });
      await transaction.run(lockKeys, { workspaceId });
      await lockSessions(transaction, { workspaceId, userId });
    },
  });
}
