import { credentialOf, type SessionCaller } from "../../../access/caller.ts";
import { isId } from "../../../crypto/ids.ts";
import { change, type Database } from "../../../database/database.ts";
import { statement, text } from "../../../database/statement.ts";
import { AppError } from "../../../errors.ts";
import { heldCredential, requireCredential } from "../../../revocation/held-credential.ts";
import { isOfRecipient } from "../is-of-recipient.ts";
import { insertFixedCodeEvents } from "./fixed-code-events.ts";

/** Its pending verifications are found by their recipient. */
const remove = statement<{ deleted: number }>("delete_fixed_code")(
  { workspaceId: text, id: text, credential: heldCredential },
  (p) => `
    WITH deleted AS (
      DELETE FROM fixed_code WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} RETURNING *
    ), canceled AS (
      UPDATE verification SET status = 'canceled'
      WHERE ${isOfRecipient("recipient_index", {
        workspaceId: p.workspaceId,
        mode: "'live'",
        indexes: "ARRAY(SELECT recipient_index FROM deleted)",
      })}
        AND fixed_code_id = ${p.id} AND status = 'pending' AND expires_at > byond_now()
      RETURNING id
    ), told AS (${insertFixedCodeEvents("deleted", "deleted")})
    SELECT
      (SELECT count(*) FROM deleted)::integer AS deleted,
      ${requireCredential(p.credential, { after: ["canceled", "told"], effect: "deleted" })}`,
);

/**
 * Deletes a fixed code, and cancels the pending verifications that have it. Throws `not_found` if the workspace has no such fixed code, and
 * `invalid_api_key` if the session no longer holds.
 */
export async function deleteFixedCode(
  { database }: { readonly database: Pick<Database, "transaction"> },
  caller: SessionCaller,
  id: string,
): Promise<void> {
  const values = { workspaceId: caller.workspaceId, id, credential: credentialOf(caller) };
  const [row] = isId("fix", id) ? await change(database, remove, values) : [];
  if (row === undefined || row.deleted === 0) {
    throw new AppError("not_found", "There is no fixed code with this id.");
  }
}
