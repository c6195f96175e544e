import type { Keyring } from "../../crypto/keyring.ts";
import { change, type Database } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import { heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { indexesOfAny } from "./recipient.ts";
import type { VerificationOwner } from "./start-verification.ts";

/**
 * All that a verification holds goes, its other recipient too: both are addresses of one person, and one would tell of
 * the other. What is pending ends: without a recipient, nobody's wrong guesses could be counted any more.
 */
export const erasure = `
  recipient_sealed = NULL, recipient_index = NULL, second_recipient_sealed = NULL, second_recipient_index = NULL,
  limit_indexes = NULL, end_user_sealed = NULL, metadata = '{}',
  status = CASE status WHEN 'pending' THEN 'canceled' ELSE status END`;

/** Two updates, each by the one index that fits it. */
const erase = statement<{ erased: number }>("erase_recipient")(
  { workspaceId: text, mode: text, indexes: array(text), credential: heldCredential },
  (p) => `
    WITH by_first AS (
      UPDATE verification SET ${erasure}
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND recipient_index = ANY (${p.indexes})
      RETURNING id
    ), by_second AS (
      UPDATE verification SET ${erasure}
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND second_recipient_index = ANY (${p.indexes})
      RETURNING id
    ), erased AS (
      SELECT id FROM by_first UNION ALL SELECT id FROM by_second
    ), given_up AS (
      UPDATE outbox SET
        payload_sealed = NULL,
        status = CASE status WHEN 'pending' THEN 'expired' ELSE status END,
        finished_at = coalesce(finished_at, byond_now())
      WHERE workspace_id = ${p.workspaceId} AND subject_id = ANY (ARRAY(SELECT id FROM erased))
      RETURNING id
    )
    SELECT
      (SELECT count(*) FROM erased)::integer AS erased,
      ${requireCredential(p.credential, { after: ["given_up"], effect: "erased" })}`,
);

/**
 * Erases what is stored of a recipient. Answers how many verifications held it. Throws `validation_error` for what is
 * neither a phone number nor a mail address, and `invalid_api_key` if the credential does not hold any more.
 */
export async function eraseRecipient(
  deps: { readonly database: Pick<Database, "transaction">; readonly keyring: Keyring },
  { workspaceId, mode, credential }: Pick<VerificationOwner, "workspaceId" | "mode" | "credential">,
  input: { readonly recipient: string },
): Promise<number> {
  const values = { workspaceId, mode, indexes: indexesOfAny(deps.keyring, input.recipient), credential };
  const [row] = await change(deps.database, erase, values);
  return row?.erased ?? 0;
}
