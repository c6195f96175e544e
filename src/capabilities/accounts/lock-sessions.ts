import type { Queryable } from "../../database/database.ts";

/** The account first, as everybody who locks both does. */
const lock = {
  name: "lock_sessions",
  text: `
    WITH owner AS MATERIALIZED (SELECT id FROM account WHERE id = $2 FOR UPDATE)
    SELECT session.id FROM session, owner
    WHERE session.workspace_id = $1 AND session.account_id = owner.id
    ORDER BY session.id FOR UPDATE OF session`,
};

/** Locks an account and its sessions for a change that ends them all. */
export async function lockSessions(
  transaction: Queryable,
  { workspaceId, userId }: { readonly workspaceId: string; readonly userId: string },
): Promise<void> {
  await transaction.query(lock, [workspaceId, userId]);
}
