import type { SessionCaller } from "../../access/caller.ts";
import type { Hasher, Match } from "../../crypto/argon2-hasher.ts";
import type { Turn } from "../../crypto/fair-queue.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import type { AccountTables } from "./account-tables.ts";
import { accountOf, type StoredAccount } from "./find-account.ts";
import { countPasswordAttempt, type PasswordAttempt } from "./password-attempts.ts";

/** A hash that a password is compared with: an account's, or the decoy. */
export interface Candidate {
  readonly userId?: string;
  readonly passwordHash: string;
}

export interface PasswordDependencies {
  readonly database: Pick<Database, "run" | "query" | "transaction">;
  readonly passwordHasher: Hasher;
  readonly keyring: Keyring;
}

/**
 * The hash of a random password. Sign-in compares with it for an unknown address, so that it takes as long as for a known
 * one.
 */
export async function createDecoyHash(passwordHasher: Hasher): Promise<string> {
  return passwordHasher.hash(crypto.randomUUID());
}

/** Whether a password is that of the account that the caller is signed in to: see `matchPassword`. */
export async function isRightPassword(
  deps: PasswordDependencies,
  account: Pick<StoredAccount, "userId" | "email" | "passwordHash">,
  { password, clientAddress }: { readonly password: string; readonly clientAddress: string | undefined },
): Promise<boolean> {
  const { userId, email } = account;
  const attempt = { email, signedInTo: userId, clientAddress };
  return (await matchPassword(deps, attempt, { candidates: [account], password })) !== undefined;
}

/** Throws `invalid_password` for a wrong password of the user who is signed in, and `rate_limited` after too many of those. */
export async function requirePassword(
  deps: PasswordDependencies,
  caller: SessionCaller,
  attempt: { readonly password: string; readonly clientAddress: string | undefined },
): Promise<void> {
  if (!(await isRightPassword(deps, await accountOf(deps, caller), attempt))) {
    throw wrongPassword();
  }
}

/** The error for a wrong password of the user who is signed in. */
export function wrongPassword(): AppError {
  return new AppError("invalid_password", "The password is wrong.");
}

/**
 * Returns the hash that the password matches, or undefined. Counts wrong passwords only. Throws `rate_limited` after too
 * many, whatever the password; accounts that know the source are still compared. Throws `unavailable`, without counting,
 * while too many passwords are being compared. A matching hash that was made with other parameters, or of another than the
 * password's normal form, is replaced.
 */
export async function matchPassword(
  deps: PasswordDependencies,
  attempt: Omit<PasswordAttempt, "accountIds">,
  { candidates, password }: { readonly candidates: readonly Candidate[]; readonly password: string },
): Promise<string | undefined> {
  const accountIds = candidates.flatMap(({ userId }) => userId ?? []);
  const counted = await countPasswordAttempt(deps, { ...attempt, accountIds });
  const hashes = candidates
    .filter(({ userId }) => userId === undefined || counted.admits(userId))
    .map(({ passwordHash }) => passwordHash);
  const lane = counted.isKnown ? "known" : "strangers";
  const turn: Turn = { lane, source: limitKeyOf(attempt.clientAddress) };
  let matched: Match | undefined;
  try {
    matched = await deps.passwordHasher.match(hashes, password, turn);
  } catch (error) {
    await counted.putBack();
    throw error;
  }
  if (matched === undefined) {
    return undefined;
  }
  const { hash, isOfNormalForm } = matched;
  // Where several accounts wait for the address, wrong ones before it may have been guesses at another's.
  await (candidates.length === 1 ? counted.forgive() : counted.putBack());
  if (!isOfNormalForm || deps.passwordHasher.isOutdated(hash)) {
    await upgradeHash(deps, attempt.email, { hash, password, turn });
  }
  return hash;
}

/**
 * Keeps the salt, which other accounts that wait for the address share. If the server is busy, the old hash stays for now:
 * the password was right.
 */
async function upgradeHash(
  { database, passwordHasher }: PasswordDependencies,
  email: string,
  { hash, password, turn }: { readonly hash: string; readonly password: string; readonly turn: Turn },
): Promise<void> {
  try {
    const renewed = await passwordHasher.hashPassword(password, turn, hash);
    await database.transaction((transaction) =>
      transaction.query((tables: AccountTables) =>
        tables
          .updateTable("account")
          .set({ passwordHash: renewed })
          .where("email", "=", email)
          .where("passwordHash", "=", hash),
      ),
    );
  } catch (error) {
    if (!(error instanceof AppError && error.code === "unavailable")) {
      throw error;
    }
  }
}
