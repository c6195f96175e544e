import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { countProofAttempt } from "./account-limits.ts";
import { accountOf, type StoredAccount } from "./find-account.ts";
import { proveAddress } from "./prove-address.ts";
import { alreadyExists } from "./sign-up.ts";

/** What accounts need of the verifications: codes to mail addresses, and whether a code is the right one. */
export interface EmailVerifications {
  /** Sends a code that proves the address of an account. Guesses are counted by account and address. */
  start(
    transaction: Queryable,
    account: { readonly userId: string; readonly email: string },
  ): Promise<StartedEmailVerification>;
  check(
    transaction: Queryable,
    userId: string,
    verification: { readonly id: string; readonly code: string },
  ): Promise<EmailVerificationOutcome>;
  /** Sends a code that resets a password, if there is an account when it leaves. Guesses are counted by reset. */
  startReset(email: string): Promise<StartedReset>;
  /** Where the code of a reset was sent, and when it was asked for. Throws `not_found` if there is no such reset. */
  findReset(resetId: string): Promise<{ readonly email: string; readonly startedAt: Date }>;
  checkReset(
    transaction: Queryable,
    reset: { readonly id: string; readonly code: string },
  ): Promise<EmailVerificationOutcome>;
}

export interface StartedReset {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  readonly expiresAt: Date;
}

export interface StartedEmailVerification extends StartedReset {
  /** To be called after the commit: what is sent before may be of a verification that does not exist. */
  send(): void;
}

export type EmailVerificationOutcome = "approved" | "incorrect" | "expired" | "locked";

/** The account names the verification that counts, so that nobody can answer for an account with the code of another. */
const remember = statement("remember_email_verification")(
  { id: text, verificationId: text },
  (p) => `UPDATE account SET email_verification_id = ${p.verificationId} WHERE id = ${p.id}`,
);

/**
 * Sends a code to the account's mail address. Throws `already_exists` if the address is verified, and what the start of a
 * verification throws, such as `rate_limited`. `beforeCommit` runs last in the transaction.
 */
export async function startEmailVerification(
  deps: {
    readonly database: Pick<Database, "run" | "transaction">;
    readonly emailVerifications: EmailVerifications;
  },
  caller: SessionCaller,
  beforeCommit: (transaction: Queryable, started: StartedEmailVerification) => Promise<void>,
): Promise<StartedEmailVerification> {
  const { userId, email, isVerified } = await accountOf(deps, caller);
  if (isVerified) {
    throw new AppError("already_exists", "The email of this account is verified already.");
  }
  const started = await deps.database.transaction(async (transaction) => {
    const verification = await deps.emailVerifications.start(transaction, { userId, email });
    await transaction.run(remember, { id: userId, verificationId: verification.id });
    await lockCredential(transaction, credentialOf(caller));
    await beforeCommit(transaction, verification);
    return verification;
  });
  started.send();
  return started;
}

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
