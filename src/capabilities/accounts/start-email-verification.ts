import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import type { EmailVerifications, StartedEmailVerification } from "./email-verification.ts";
import { accountOf } from "./find-account.ts";

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
