import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { takeTokensIn } from "../../database/take-tokens.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { proofLimits } from "./accounts.policy.ts";
import { mailboxKey } from "./address-key.ts";

/**
 * Counts a code that was looked at, by the mailbox that it proves: accounts can be deleted and made again, and a new one is no
 * new budget for guessing. Throws `rate_limited` after too many; in the transaction of the check, so that nothing is told
 * then of the code.
 */
export async function countProofAttempt(
  deps: { readonly keyring: Keyring },
  transaction: Queryable,
  { email, clientAddress }: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const mailbox = mailboxKey(deps, email);
  const retryAfterSeconds = await takeTokensIn(transaction, "verify-email", [
    { key: `source:${mailbox}:${limitKeyOf(clientAddress)}`, limit: proofLimits.source },
    { key: `mailbox:${mailbox}`, limit: proofLimits.mailbox },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many wrong codes. Try again later, or reset the password.", {
      retryAfterSeconds,
    });
  }
}
