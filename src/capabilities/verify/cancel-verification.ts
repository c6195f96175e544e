import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/database.ts";
import { type HeldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { getVerification, type VerificationRef } from "./get-verification.ts";
import type { VerificationView } from "./verification-view.ts";

/** Messages that wait for another attempt are given up with the verification. */
const cancel = {
  name: "cancel_verification",
  text: `
    WITH canceled AS (
      UPDATE verification SET status = 'canceled'
      WHERE workspace_id = $1 AND mode = $2 AND id = $3 AND status = 'pending' AND expires_at > byond_now()
      RETURNING id
    ), given_up AS (
      UPDATE outbox SET status = 'expired', payload_sealed = NULL, finished_at = byond_now()
      WHERE workspace_id = $1 AND subject_id = (SELECT id FROM canceled) AND status = 'pending'
      RETURNING id
    )
    SELECT ${requireCredential("$4", { after: ["given_up"], effect: "canceled" })}`,
};

/**
 * Ends a pending verification; one that is not pending is left as it is. Answers what it is now. Throws `not_found` for an
 * id that does not exist in this workspace and mode, and `invalid_api_key` if the credential does not hold any more.
 */
export async function cancelVerification(
  deps: { readonly database: Pick<Database, "query" | "transaction">; readonly keyring: Keyring },
  ref: VerificationRef,
  credential: HeldCredential,
): Promise<VerificationView> {
  const values = [ref.workspaceId, ref.mode, ref.verificationId, credential];
  await deps.database.transaction((transaction) => transaction.query(cancel, values));
  return getVerification(deps, ref);
}
