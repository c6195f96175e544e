import type { Keyring } from "../../crypto/keyring.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import { change, type Database } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { type HeldCredential, heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { getVerification, type VerificationRef } from "./get-verification.ts";
import type { VerificationView } from "./verification-view.ts";

/** Messages that wait to be sent expire with the verification. */
const cancel = statement("cancel_verification")(
  { workspaceId: text, mode: text, id: text, credential: heldCredential },
  (p) => `
    WITH canceled AS (
      UPDATE verification SET status = 'canceled'
      WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND id = ${p.id}
        AND status = 'pending' AND expires_at > byond_now()
      RETURNING id
    ), given_up AS (
      UPDATE outbox SET status = 'expired', payload_sealed = NULL, finished_at = byond_now()
      WHERE workspace_id = ${p.workspaceId} AND subject_id = (SELECT id FROM canceled) AND finished_at IS NULL
      RETURNING id
    )
    SELECT ${requireCredential(p.credential, { after: ["given_up"], effect: "canceled" })}`,
);

/**
 * Cancels a verification if it is pending. Returns the verification as it is now. Throws `not_found` if the workspace has no
 * such verification in this mode, and `invalid_api_key` if the credential no longer holds.
 */
export async function cancelVerification(
  deps: { readonly database: Pick<Database, "run" | "transaction">; readonly keyring: Keyring },
  ref: VerificationRef,
  credential: HeldCredential,
): Promise<VerificationView> {
  const { workspaceId, mode, verificationId: id } = ref;
  await change(deps.database, cancel, { workspaceId, mode, id, credential });
  // The verification is canceled: answer so even after the deadline.
  return withoutDeadline(() => getVerification(deps, ref));
}
