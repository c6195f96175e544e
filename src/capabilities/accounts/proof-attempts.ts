import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { takeTokensIn } from "../../database/take-tokens.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { mailboxKey } from "./address-key.ts";

/** Codes from one source for the accounts of one mailbox: twenty at once, then twenty a day. */
const sourceLimit = { burst: 20, periodSeconds: 4_320 };

/** Codes for all accounts of one mailbox: a hundred at once, then a hundred a day. */
const mailboxLimit = { burst: 100, periodSeconds: 864 };

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
    { key: `source:${mailbox}:${limitKeyOf(clientAddress)}`, limit: sourceLimit },
    { key: `mailbox:${mailbox}`, limit: mailboxLimit },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many wrong codes. Try again later, or reset the password.", {
      retryAfterSeconds,
    });
  }
}
