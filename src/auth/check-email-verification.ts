import type { Database } from "../database/database.ts";
import { lockCredential } from "../revocation/held-credential.ts";
import { credentialOf, type SessionCaller } from "../rpc/access/caller.ts";
import type { EmailVerificationOutcome, EmailVerifications } from "./email-verification.ts";
import { accountOf } from "./find-account.ts";

const verify = {
  name: "verify_account_email",
  text: `
    UPDATE account SET email_verified_at = coalesce(email_verified_at, byond_now()), email_verification_id = NULL
    WHERE id = $1`,
};

/** Checks the code that was sent to the account's mail address last. Without one, every code has expired. */
export async function checkEmailVerification(
  deps: { readonly database: Pick<Database, "query" | "transaction">; readonly emailVerifications: EmailVerifications },
  caller: SessionCaller,
  input: { readonly code: string },
): Promise<{ readonly outcome: EmailVerificationOutcome; readonly isVerified: boolean }> {
  const { userId, emailVerificationId, isVerified } = await accountOf(deps, caller);
  if (emailVerificationId === null) {
    return { outcome: "expired", isVerified };
  }
  return deps.database.transaction(async (transaction) => {
    const outcome = await deps.emailVerifications.check(transaction, emailVerificationId, input.code);
    if (outcome === "approved") {
      await transaction.query(verify, [userId]);
    }
    await lockCredential(transaction, credentialOf(caller));
    return { outcome, isVerified: isVerified || outcome === "approved" };
  });
}
