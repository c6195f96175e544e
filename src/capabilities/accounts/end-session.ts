import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { SessionReference } from "./refresh-token.ts";

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
