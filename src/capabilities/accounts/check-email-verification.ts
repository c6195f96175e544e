import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { alreadyExists } from "./create-account.ts";
import type { EmailVerificationOutcome, EmailVerifications } from "./email-verification.ts";
import { accountOf, type StoredAccount } from "./find-account.ts";
import { countProofAttempt } from "./proof-attempts.ts";
import { proveAddress } from "./unverified-accounts.ts";

/** What a code came to, and whether the address is verified by now. */
export interface CheckedEmail {
  readonly outcome: EmailVerificationOutcome;
  readonly isVerified: boolean;
}

/** Also deletes the pending warning that the account will end. */
const verify = statement<{ id: string }>("verify_account_email")(
  { id: text },
  (p) => `
    WITH verified AS (
      UPDATE account SET
        email_verified_at = byond_now(), email_verification_id = NULL, ends_at = NULL, end_announced_at = NULL
      WHERE id = ${p.id} AND email_verified_at IS NULL
      RETURNING id, workspace_id
    ), attempts AS (
      DELETE FROM delivery_attempt USING verified
      WHERE delivery_attempt.workspace_id = verified.workspace_id AND subject_id = verified.id
    ), messages AS (
      DELETE FROM outbox USING verified WHERE outbox.workspace_id = verified.workspace_id AND subject_id = verified.id
    )
    SELECT id FROM verified`,
);

/**
 * Checks the code that was sent to the account's mail address last. Without one, every code has expired. With the right one
 * the address is this account's: when it returns, its live keys work and all other accounts that waited for the address have
 * ended, on every server. Throws `already_exists` if another account has proved the address, and `rate_limited` after too
 * many codes for accounts of this mailbox. `beforeCommit` runs in the transaction, if there is one: nothing is written where
 * no code was sent.
 */
export async function checkEmailVerification(
  deps: {
    readonly database: Pick<Database, "run">;
    readonly emailVerifications: EmailVerifications;
    readonly revocation: Pick<RevocationService, "revoke">;
    readonly keyring: Keyring;
  },
  caller: SessionCaller,
  { code, clientAddress }: { readonly code: string; readonly clientAddress: string | undefined },
  beforeCommit: (transaction: Queryable, checked: CheckedEmail) => Promise<void>,
): Promise<CheckedEmail> {
  const account = await accountOf(deps, caller);
  const { userId, email, emailVerificationId } = account;
  const checkedWith = (outcome: EmailVerificationOutcome): CheckedEmail => ({
    outcome,
    isVerified: account.isVerified || outcome === "approved",
  });
  if (emailVerificationId === null) {
    return checkedWith("expired");
  }
  const check = async (transaction: Queryable, accounts: readonly StoredAccount[]) => {
    if (accounts.every((each) => each.userId !== userId)) {
      // Another has proved the address. This one has ended with that, most likely: its session is refused then.
      await accountOf({ database: transaction }, caller);
      throw alreadyExists();
    }
    const outcome = await deps.emailVerifications.check(transaction, userId, { id: emailVerificationId, code });
    if (outcome !== "expired") {
      await countProofAttempt(deps, transaction, { email, clientAddress });
    }
    const isProof = outcome === "approved" && (await transaction.run(verify, { id: userId })).length > 0;
    await beforeCommit(transaction, checkedWith(outcome));
    return { outcome, provenBy: isProof ? account : undefined };
  };
  const { outcome } = await proveAddress(deps, { email, credential: credentialOf(caller) }, check);
  return checkedWith(outcome);
}
