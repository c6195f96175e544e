import type { Queryable } from "../../database/database.ts";
import type { SessionReference } from "./refresh-token.ts";

const remove = {
  name: "delete_session",
  text: "DELETE FROM session WHERE workspace_id = $1 AND id = $2 RETURNING id",
};

/** Ends a session, in the transaction that revokes its subject. False if it had ended before. */
export async function endSession(
  transaction: Queryable,
  { workspaceId, sessionId }: SessionReference,
): Promise<boolean> {
  return (await transaction.query(remove, [workspaceId, sessionId])).length > 0;
}
