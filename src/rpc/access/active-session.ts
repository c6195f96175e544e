import type { Queryable } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { SessionCaller } from "./caller.ts";

/**
 * SQL of a query that returns one row while the session is alive, and none after it was ended. A statement with effects asks
 * it again: the call may have been let in before. Where the session's id is NULL the server acts by itself, and there is
 * always a row.
 */
export function activeSession(workspaceId: string, sessionId: string): string {
  return `
    SELECT WHERE ${sessionId}::text IS NULL
    UNION ALL
    SELECT FROM session JOIN account ON account.id = session.account_id
    WHERE session.workspace_id = ${workspaceId} AND session.id = ${sessionId}
      AND account.token_revision = session.token_revision`;
}

const readActive = {
  name: "read_active_session",
  text: `SELECT EXISTS (${activeSession("$1", "$2")}) AS is_active`,
};

/** To be called in a transaction that a session asks for. Throws `invalid_api_key` if it was ended meanwhile. */
export async function requireActiveSession(
  transaction: Queryable,
  { workspaceId, sessionId }: Pick<SessionCaller, "workspaceId" | "sessionId">,
): Promise<void> {
  const [row] = await transaction.query<{ is_active: boolean }>(readActive, [workspaceId, sessionId]);
  if (row?.is_active !== true) {
    throw sessionEnded();
  }
}

/** What a session is told that was ended while its call was under way. */
export function sessionEnded(): AppError {
  return new AppError("invalid_api_key", "The provided session token is invalid or expired.");
}
