import type { Database } from "../database/database.ts";
import { invalidFields } from "../errors.ts";
import { requireCredential } from "../revocation/held-credential.ts";
import type { Keyring } from "../secrets.ts";
import { parseAnyRecipient, recipientIndex } from "./recipient.ts";
import type { VerificationOwner } from "./start-verification.ts";

/** What is pending ends: without its recipient, nobody's wrong guesses could be counted any more. */
const erase = {
  name: "erase_recipient",
  text: `
    WITH erased AS (
      UPDATE verification SET
        recipient_sealed = NULL, recipient_index = NULL, metadata = '{}',
        status = CASE status WHEN 'pending' THEN 'canceled' ELSE status END
      WHERE workspace_id = $1 AND mode = $2 AND recipient_index = ANY ($3::text[])
      RETURNING id
    ), given_up AS (
      UPDATE outbox SET
        payload_sealed = NULL,
        status = CASE status WHEN 'pending' THEN 'expired' ELSE status END,
        finished_at = coalesce(finished_at, byond_now())
      WHERE workspace_id = $1 AND subject_id IN (SELECT id FROM erased)
      RETURNING id
    )
    SELECT
      (SELECT count(*) FROM erased)::integer AS erased,
      ${requireCredential("$4", { after: ["given_up"], effect: "erased" })}`,
};

/**
 * Erases what is stored of a recipient. Answers how many verifications held it. Throws `validation_error` for what is
 * neither a phone number nor a mail address, and `invalid_api_key` if the credential does not hold any more.
 */
export async function eraseRecipient(
  deps: { readonly database: Pick<Database, "transaction">; readonly keyring: Keyring },
  { workspaceId, mode, credential }: Pick<VerificationOwner, "workspaceId" | "mode" | "credential">,
  input: { readonly recipient: string },
): Promise<number> {
  const parsed = parseAnyRecipient(input.recipient);
  if ("problem" in parsed) {
    throw invalidFields({ recipient: parsed.problem });
  }
  const indexes = deps.keyring.all.map((secret) => recipientIndex(secret, parsed.canonical));
  const values = [workspaceId, mode, indexes, credential];
  const [row] = await deps.database.transaction((transaction) => transaction.query<{ erased: number }>(erase, values));
  return row?.erased ?? 0;
}
