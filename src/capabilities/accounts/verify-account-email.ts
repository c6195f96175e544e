import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable, QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import { AppError } from "../../errors.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { countProofAttempt } from "./account-limits.ts";
import type { AccountTables } from "./account-tables.ts";
import { type AccountReference, removeMessages } from "./delete-account-rows.ts";
import { accountOf, type StoredAccount } from "./find-account.ts";
import { proveAddress } from "./prove-address.ts";
import { alreadyExists } from "./sign-up.ts";

/** What accounts need of verifications: codes that are sent to mail addresses, and checked. */
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
  /** Call it after the commit: before, the verification may be rolled back. */
  send(): void;
}

export type EmailVerificationOutcome = "approved" | "incorrect" | "expired" | "locked";

/**
 * Sends a code to the account's mail address. Throws `already_exists` if the address is verified, and what the start of a
 * verification throws, such as `rate_limited`. `beforeCommit` runs last in the transaction.
 */
export async function startEmailVerification(
  deps: {
    readonly database: Pick<Database, "query" | "transaction">;
    readonly emailVerifications: EmailVerifications;
  },
  caller: SessionCaller,
  beforeCommit: (transaction: Queryable, started: StartedEmailVerification) => Promise<void>,
): Promise<StartedEmailVerification> {
  const { userId, email, isVerified } = await accountOf(deps, caller);
  if (isVerified) {
    throw new AppError("already_exists", "The email address of this account is already verified.");
  }
  const started = await deps.database.transaction(async (transaction) => {
    const verification = await deps.emailVerifications.start(transaction, { userId, email });
    // The account names the verification that counts, so that no code of another account verifies it.
    await transaction.query((tables: AccountTables) =>
      tables.updateTable("account").set({ emailVerificationId: verification.id }).where("id", "=", userId),
    );
    await lockCredential(transaction, credentialOf(caller));
    await beforeCommit(transaction, verification);
    return verification;
  });
  started.send();
  return started;
}

/** The outcome of a check, and whether the address is verified now. */
export interface CheckedEmail {
  readonly outcome: EmailVerificationOutcome;
  readonly isVerified: boolean;
}

/** Marks the address of an account as verified. Also deletes the pending warning that the account will end. */
async function markVerified(transaction: QueryableTables, account: AccountReference): Promise<boolean> {
  const verified = await transaction.query((tables: AccountTables) =>
    tables
      .updateTable("account")
      .set({ emailVerifiedAt: databaseTime, emailVerificationId: null, endsAt: null, endAnnouncedAt: null })
      .where("id", "=", account.userId)
      .where("emailVerifiedAt", "is", null)
      .returning("id"),
  );
  if (verified.length > 0) {
    await removeMessages(transaction, [account]);
  }
  return verified.length > 0;
}

/**
 * Checks the code that was last sent to the account's address; if none was sent, the outcome is `expired`. With the right
 * code the address is this account's: when it returns, its live keys work, and all other accounts that waited for the
 * address have ended, on every server. Throws `already_exists` if another account has proved the address, and `rate_limited`
 * after too many codes for accounts of this mailbox. `beforeCommit` runs in the transaction; without a code there is none.
 */
export async function checkEmailVerification(
  deps: {
    readonly database: QueryableTables;
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
  const check = async (transaction: QueryableTables, accounts: readonly StoredAccount[]) => {
    if (accounts.every((each) => each.userId !== userId)) {
      // Another has proved the address. This one has ended with that, most likely: its session is refused then.
      await accountOf({ database: transaction }, caller);
      throw alreadyExists();
    }
    const outcome = await deps.emailVerifications.check(transaction, userId, { id: emailVerificationId, code });
    if (outcome !== "expired") {
      await countProofAttempt(deps, transaction, { email, clientAddress });
    }
    const isProof = outcome === "approved" && (await markVerified(transaction, account));
    await beforeCommit(transaction, checkedWith(outcome));
    return { outcome, provenBy: isProof ? account : undefined };
  };
  const { outcome } = await proveAddress(deps, { email, credential: credentialOf(caller) }, check);
  return checkedWith(outcome);
}
