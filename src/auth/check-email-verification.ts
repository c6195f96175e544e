import type { Queryable } from "../database/database.ts";
import type { SessionCaller } from "../rpc/access/caller.ts";
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
  deps: { readonly database: Queryable; readonly emailVerifications: EmailVerifications },
  caller: SessionCaller,
  input: { readonly code: string },
): Promise<{ readonly outcome: EmailVerificationOutcome; readonly isVerified: boolean }> {
  const { userId, emailVerificationId, isVerified } = await accountOf(deps, caller);
  if (emailVerificationId === null) {
    return { outcome: "expired", isVerified };
  }
  const outcome = await deps.emailVerifications.check(emailVerificationId, input.code);
  if (outcome === "approved") {
    await deps.database.query(verify, [userId]);
  }
  return { outcome, isVerified: isVerified || outcome === "approved" };
}
