import { AppError } from "../errors.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import type { Caller } from "../rpc/access/caller.ts";
import { wrongPassword } from "./change-password.ts";
import { accountNotFound, accountOf } from "./find-account.ts";
import { isRightPassword, type PasswordDependencies } from "./is-right-password.ts";
import { accountSubject, workspaceSubject } from "./subjects.ts";

const remove = {
  name: "delete_account",
  text: `
    WITH deleted AS (
      DELETE FROM account WHERE id = $2 RETURNING id
    ), ended AS (
      DELETE FROM session WHERE workspace_id = $1 AND EXISTS (SELECT FROM deleted)
    ), revoked AS (
      UPDATE api_key SET revoked_at = byond_now(), revocation_reason = 'The account was deleted.'
      WHERE workspace_id = $1 AND revoked_at IS NULL AND EXISTS (SELECT FROM deleted)
    ), deactivated AS (
      UPDATE workspace SET deactivated_at = coalesce(deactivated_at, byond_now())
      WHERE id = $1 AND EXISTS (SELECT FROM deleted)
    )
    SELECT id FROM deleted`,
};

/**
 * Deletes the caller's account: the user is removed, and the workspace shut down with all of its keys. When it returns, no
 * server accepts any of its credentials any more.
 *
 * Throws, with nothing touched: `invalid_request` without a password, `not_found` if the caller's workspace has no user,
 * `invalid_password` for a wrong one, and `rate_limited` after too many of those.
 */
export async function deleteAccount(
  deps: PasswordDependencies & { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
  input: { readonly password: string | undefined; readonly clientAddress: string | undefined },
): Promise<void> {
  const { password, clientAddress } = input;
  if (password === undefined) {
    throw new AppError("invalid_request", "The request must hold the account's password.");
  }
  const { userId, workspaceId, email, passwordHash: hash } = await accountOf(deps, caller);
  if (!(await isRightPassword(deps, { email, clientAddress }, { hash, password }))) {
    throw wrongPassword();
  }
  await deps.revocation.revoke([accountSubject(userId), workspaceSubject(workspaceId)], async (transaction) => {
    if ((await transaction.query(remove, [workspaceId, userId])).length === 0) {
      throw accountNotFound();
    }
  });
}
