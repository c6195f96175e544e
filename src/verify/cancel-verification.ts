import type { Queryable } from "../database/database.ts";
import type { Keyring } from "../secrets.ts";
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
    )
    UPDATE outbox SET status = 'expired', payload_sealed = NULL, finished_at = byond_now()
    FROM canceled
    WHERE workspace_id = $1 AND subject_id = canceled.id AND status = 'pending'`,
};

/**
 * Ends a pending verification; one that is not pending is left as it is. Answers what it is now. Throws `not_found` for an
 * id that does not exist in this workspace and mode.
 */
export async function cancelVerification(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  ref: VerificationRef,
): Promise<VerificationView> {
  await deps.database.query(cancel, [ref.workspaceId, ref.mode, ref.verificationId]);
  return getVerification(deps, ref);
}
