/** Limits of what can be asked for an address: new accounts, and codes that prove it. Passwords: `password-attempts.ts`. */
import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { consumeTokens, consumeTokensIn } from "../../database/consume-tokens.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { foldMailbox } from "../../text/fold-mailbox.ts";
import { newAccountLimits, proofLimits, signUpsAtOnce } from "./accounts.policy.ts";

type KeyDependencies = { readonly keyring: Pick<Keyring, "current"> };

/**
 * An account's address in keys of the throttle: a keyed hash, because mistyped addresses should not be stored. Keyed with
 * the current master secret only, so a rotation resets these counts once.
 */
export function addressKey({ keyring }: KeyDependencies, email: string): string {
  return hmacSha256(keyring.current.subkey("account-address"), email).toString("base64url");
}

/** The same for all addresses that reach one mailbox. */
export function mailboxKey(deps: KeyDependencies, email: string): string {
  const at = email.lastIndexOf("@");
  return addressKey(deps, `mailbox:${foldMailbox(email.slice(0, at), email.slice(at + 1))}`);
}

interface SourceDependencies {
  readonly database: Pick<Database, "transaction">;
  readonly signUpsPerHour: number;
}

/**
 * Counts a sign-up by its source before any work is done for it, whether it succeeds or not. Throws `rate_limited` after too
 * many.
 */
export async function countSignUp(
  { database, signUpsPerHour }: SourceDependencies,
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<void> {
  const limit = { burst: Math.min(signUpsAtOnce, signUpsPerHour), periodSeconds: 3_600 / signUpsPerHour };
  const retryAfterSeconds = await consumeTokens(database, "sign-up", [
    { key: `source:${limitKeyOf(clientAddress)}`, limit },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many sign-ups from this IP address. Try again later.", {
      retryAfterSeconds,
    });
  }
}

/**
 * Counts a new account by its mailbox, in the transaction that makes it: each may cause mails to the mailbox. Throws
 * `rate_limited` after too many.
 */
export async function countNewAccount(
  deps: { readonly keyring: Keyring },
  transaction: Queryable,
  { email, clientAddress }: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const mailbox = mailboxKey(deps, email);
  const retryAfterSeconds = await consumeTokensIn(transaction, "sign-up", [
    { key: `mailbox:${mailbox}:${limitKeyOf(clientAddress)}`, limit: newAccountLimits.pair },
    { key: `mailbox:${mailbox}`, limit: newAccountLimits.mailbox },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many sign-ups for this mailbox. Try again later.", { retryAfterSeconds });
  }
}

/**
 * Counts a checked code by the mailbox that it proves, so that deleting an account and making it again gives no more
 * guesses. Runs in the transaction of the check: throwing `rate_limited` rolls the check back, and nothing is revealed about
 * the code.
 */
export async function countProofAttempt(
  deps: { readonly keyring: Keyring },
  transaction: Queryable,
  { email, clientAddress }: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<void> {
  const mailbox = mailboxKey(deps, email);
  const retryAfterSeconds = await consumeTokensIn(transaction, "verify-email", [
    { key: `source:${mailbox}:${limitKeyOf(clientAddress)}`, limit: proofLimits.source },
    { key: `mailbox:${mailbox}`, limit: proofLimits.mailbox },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many wrong codes. Try again later, or reset the password.", {
      retryAfterSeconds,
    });
  }
}
