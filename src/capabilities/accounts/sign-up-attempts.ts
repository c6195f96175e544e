import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { takeTokens, takeTokensIn } from "../../database/take-tokens.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { newAccountLimits, signUpsAtOnce } from "./accounts.policy.ts";
import { mailboxKey } from "./address-key.ts";

interface SourceDependencies {
  readonly database: Pick<Database, "transaction">;
  readonly signUpsPerHour: number;
}

/**
 * Counts a sign-up by where it comes from, before anything is done for it; also one that fails, or is told `already_exists`.
 * Throws `rate_limited` after too many.
 */
export async function countSignUp(
  { database, signUpsPerHour }: SourceDependencies,
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<void> {
  const limit = { burst: Math.min(signUpsAtOnce, signUpsPerHour), periodSeconds: 3_600 / signUpsPerHour };
  const retryAfterSeconds = await takeTokens(database, "sign-up", [
    { key: `source:${limitKeyOf(clientAddress)}`, limit },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many sign-ups from this address. Try again later.", { retryAfterSeconds });
  }
}

/**
 * Counts an account that is about to be made, in the same transaction: each may cause mails to the mailbox. Throws
 * `rate_limited` after too many.
 */
export async function countNewAccount(
  deps: { readonly keyring: Keyring },
  transaction: Queryable,
  { email, clientAddress }: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const mailbox = mailboxKey(deps, email);
  const retryAfterSeconds = await takeTokensIn(transaction, "sign-up", [
    { key: `mailbox:${mailbox}:${limitKeyOf(clientAddress)}`, limit: newAccountLimits.pair },
    { key: `mailbox:${mailbox}`, limit: newAccountLimits.mailbox },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many sign-ups for this mailbox. Try again later.", { retryAfterSeconds });
  }
}
