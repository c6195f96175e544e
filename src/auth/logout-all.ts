import type { Queryable } from "../database/database.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import type { Caller } from "../rpc/access/caller.ts";
import { accountOf } from "./find-account.ts";
import { accountSubject } from "./subjects.ts";

const raise = {
  name: "raise_token_revision",
  text: `
    WITH ended AS (
      DELETE FROM session WHERE workspace_id = $1 AND account_id = $2
    )
    UPDATE account SET token_revision = token_revision + 1 WHERE id = $2`,
};

/**
 * Ends every session of the caller's account. When it returns, no server accepts their tokens any more. Keys stay. Throws
 * `not_found` if the caller's workspace has no user.
 */
export async function logoutAll(
  deps: { readonly database: Queryable; readonly revocation: Pick<RevocationService, "revoke"> },
  caller: Caller,
): Promise<void> {
  const { userId, workspaceId } = await accountOf(deps, caller);
  await deps.revocation.revoke([accountSubject(userId)], (transaction) =>
    transaction.query(raise, [workspaceId, userId]),
  );
}
