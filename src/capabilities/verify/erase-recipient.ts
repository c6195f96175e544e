import type { Keyring } from "../../crypto/keyring.ts";
import { change, type Database } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import { heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import type { RecipientErasure } from "../recipients/recipient-data.ts";
import { insertFixedCodeEvents } from "./fixed-codes/fixed-code-events.ts";
import { isOfRecipient } from "./is-of-recipient.ts";
import { indexesOfAny } from "./recipient.ts";
import type { VerificationOwner } from "./start-verification.ts";

/**
 * Erases all personal data of a verification, its other recipient included: both are addresses of one person. Cancels it if it
 * is pending: without a recipient, wrong codes could no longer be counted. The range of the number stays: it is nobody's, and what is still to
 * be counted for it is.
 */
export const erasure = `
  recipient_sealed = NULL, recipient_index = NULL, second_recipient_sealed = NULL, second_recipient_index = NULL,
  limit_indexes = NULL, end_user_sealed = NULL, device_indexes = NULL, guess_tags = NULL, metadata = '{}',
  approval_sealed = NULL, approval_index = NULL,
  status = CASE
    WHEN status <> 'pending' THEN status
    WHEN expires_at > byond_now() THEN 'canceled'
    ELSE 'expired'
  END`;

/** The statement of an erasure. Two updates of verifications, because each uses another index. */
export const erasureStatement = (others: readonly RecipientErasure[]) =>
  statement<{ erased: number }>("erase_recipient")(
    { workspaceId: text, mode: text, indexes: array(text), credential: heldCredential },
    (p) => `
    WITH by_first AS (
      UPDATE verification SET ${erasure}
      WHERE ${isOfRecipient("recipient_index", p)}
      RETURNING id
    ), by_second AS (
      UPDATE verification SET ${erasure}
      WHERE ${isOfRecipient("second_recipient_index", p)}
      RETURNING id
    ), erased AS (
      SELECT id FROM by_first UNION ALL SELECT id FROM by_second
    ), given_up AS (
      UPDATE outbox SET
        payload_sealed = NULL,
        status = CASE status WHEN 'pending' THEN 'expired' ELSE status END,
        finished_at = coalesce(finished_at, byond_now())
      WHERE subject_id = ANY (ARRAY(SELECT id FROM erased)) AND workspace_id || '' = ${p.workspaceId}
      RETURNING id
    ), fixed_codes AS (
      DELETE FROM fixed_code
      WHERE workspace_id = ${p.workspaceId} AND recipient_index = ANY (${p.indexes}) AND ${p.mode} = 'live'
      RETURNING *
    ), canceled AS (
      UPDATE outbox SET
        payload_sealed = NULL, status = 'expired', finished_at = byond_now(), last_error = 'the recipient was erased'
      WHERE workspace_id = ${p.workspaceId} AND erased_with = ANY (ARRAY(SELECT id FROM erased UNION ALL SELECT id FROM fixed_codes))
        AND payload_sealed IS NOT NULL AND erased_with IS NOT NULL
      RETURNING id
    ), told AS (${insertFixedCodeEvents("deleted", "fixed_codes")}
    )${others.map(({ cte, sql }) => `, ${cte} AS (${sql(p)})`).join("")}, changed AS (
      SELECT id FROM erased${others.map(({ cte }) => ` UNION ALL SELECT id FROM ${cte}`).join("")} UNION ALL SELECT id FROM fixed_codes
    )
    SELECT
      (SELECT count(*) FROM erased)::integer AS erased,
      ${requireCredential(p.credential, { after: ["given_up", "canceled", "told"], effect: "changed" })}`,
  );

/**
 * Erases all personal data of a recipient's verifications and returns their number. Deletes the recipient's fixed code, too. Throws
 * `validation_error` for a malformed recipient, and `invalid_api_key` if the credential no longer holds.
 */
export async function eraseRecipient(
  deps: {
    readonly database: Pick<Database, "transaction">;
    readonly keyring: Keyring;
    readonly erase: ReturnType<typeof erasureStatement>;
    readonly erasures: readonly RecipientErasure[];
  },
  { workspaceId, mode, credential }: Pick<VerificationOwner, "workspaceId" | "mode" | "credential">,
  input: { readonly recipient: string },
): Promise<number> {
  const values = { workspaceId, mode, indexes: indexesOfAny(deps.keyring, input.recipient), credential };
  await Promise.all(deps.erasures.map((other) => other.prepare?.()));
  const [row] = await change(deps.database, deps.erase, values);
  return row?.erased ?? 0;
}
