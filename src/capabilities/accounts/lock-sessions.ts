import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";

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
