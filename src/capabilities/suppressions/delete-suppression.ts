import type { Mode } from "../../access/caller.ts";
import { isId } from "../../crypto/ids.ts";
import { change, type Database } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { type HeldCredential, heldCredential, requireCredential } from "../../revocation/held-credential.ts";

const remove = statement<{ removed: number }>("delete_suppression")(
  { workspaceId: text, mode: text, id: text, credential: heldCredential },
  (p) => `
    WITH removed AS (
      DELETE FROM suppression WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND mode || '' = ${p.mode} RETURNING id
    )
    SELECT (SELECT count(*) FROM removed)::integer AS removed,
      ${requireCredential(p.credential, { after: [], effect: "removed" })}`,
);

/**
 * Ends a suppression: codes are sent to the recipient again. Throws `not_found` if the workspace has no such suppression in this mode, and
 * `invalid_api_key` if the credential no longer holds.
 */
export async function deleteSuppression(
  { database }: { readonly database: Pick<Database, "transaction"> },
  { workspaceId, mode, id }: { readonly workspaceId: string; readonly mode: Mode; readonly id: string },
  credential: HeldCredential,
): Promise<void> {
  const [row] = isId("sup", id) ? await change(database, remove, { workspaceId, mode, id, credential }) : [];
  if (row === undefined || row.removed === 0) {
    throw new AppError("not_found", "There is no suppression with this id.");
  }
}
