import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject } from "../../revocation/revocation-subjects.ts";
import { accountOf } from "./find-account.ts";
import { lockSessions } from "./lock-sessions.ts";

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
