import { sql } from "kysely";
import type { Tier } from "../../access/tiers.ts";
import type { Hasher, Match } from "../../crypto/argon2-hasher.ts";
import type { Turn } from "../../crypto/fair-queue.ts";
import { createId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import { AppError, invalidFields } from "../../errors.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { parseAccountAddress } from "../../text/mail-address.ts";
import { countNewAccount, countSignUp } from "./account-limits.ts";
import type { AccountTables } from "./account-tables.ts";
import { hoursToVerify, maxUnverifiedAccounts } from "./accounts.policy.ts";
import { findAccountsByEmail, type StoredAccount } from "./find-account.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";
import { countPasswordAttempt } from "./password-attempts.ts";
import { newPasswordProblem } from "./password-rules.ts";
import { lockAddress } from "./prove-address.ts";

export interface Account {
  readonly userId: string;
  readonly workspaceId: string;
}

export interface AccountDependencies {
  readonly database: Database;
  readonly passwordHasher: Hasher;
  readonly keyring: Keyring;
  /** Of the new workspace. */
  readonly defaultTier: Tier;
}

/** The problem of a malformed address. */
export const emailProblem = "must be an email address";

/**
 * Makes a user, whose address is unverified, with a workspace of their own.
 *
 * Throws `validation_error` for a malformed address or a password that is easy to guess. Throws `already_exists` for an
 * address that is verified, for one that `maxUnverifiedAccounts` accounts wait for, and for one that has an account with the
 * same password: sign-in could not tell the two apart, and it is most likely a repeated call. Because that answer reveals a
 * password, a call for an address with accounts counts as an attempt at their password, whatever its outcome. Throws
 * `rate_limited` after too many attempts, and after too many new accounts for one mailbox.
 */
export async function createAccount(
  deps: AccountDependencies,
  input: {
    readonly email: string;
    readonly password: string;
    readonly name: string;
    readonly clientAddress: string | undefined;
  },
): Promise<Account> {
  const email = parseAccountAddress(input.email);
  if (email === undefined) {
    throw invalidFields({ email: emailProblem });
  }
  const problem = newPasswordProblem(input.password, input.email);
  if (problem !== undefined) {
    throw invalidFields({ password: problem });
  }
  const account = { userId: createId("usr"), workspaceId: createId("ws") };
  const turn: Turn = { lane: "signUp", source: limitKeyOf(input.clientAddress) };
  let isCounted = false;
  // Ends: an address has `maxUnverifiedAccounts` accounts at most.
  for (;;) {
    const others = await findAccountsByEmail(deps, email);
    requireRoom(others);
    if (others.length > 0) {
      // One password, however often it has to be compared.
      await requireAnother(deps, { ...input, email, turn, isCounted }, others);
      isCounted = true;
    }
    // With the salt of the others, so that signing in compares with all of them at once.
    const passwordHash = await deps.passwordHasher.hashPassword(input.password, turn, others[0]?.passwordHash);
    const isMade = await deps.database.transaction(async (transaction) => {
      await lockAddress(transaction, email);
      const now = await findAccountsByEmail({ database: transaction }, email);
      // Somebody may have proved the address meanwhile.
      requireRoom(now);
      if (now.some((account) => others.every((other) => other.passwordHash !== account.passwordHash))) {
        // The password was not compared with that one's.
        return false;
      }
      await countNewAccount(deps, transaction, { email, clientAddress: input.clientAddress });
      const { defaultTier: tier } = deps;
      await insertAccount(transaction, { ...account, email, passwordHash, name: input.name, tier, isVerified: false });
      return true;
    });
    if (isMade) {
      return account;
    }
  }
}

/** Throws `already_exists` if one of the accounts has this password. */
async function requireAnother(
  deps: AccountDependencies,
  {
    email,
    password,
    clientAddress,
    turn,
    isCounted,
  }: {
    readonly email: string;
    readonly password: string;
    readonly clientAddress: string | undefined;
    readonly turn: Turn;
    readonly isCounted: boolean;
  },
  accounts: readonly StoredAccount[],
): Promise<void> {
  const attempt = { email, accountIds: [], signedInTo: undefined, clientAddress };
  const counted = isCounted ? undefined : await countPasswordAttempt(deps, attempt);
  const hashes = accounts.map(({ passwordHash }) => passwordHash);
  let right: Match | undefined;
  try {
    right = await deps.passwordHasher.match(hashes, password, turn);
  } catch (error) {
    await counted?.putBack();
    throw error;
  }
  if (right !== undefined) {
    throw noRoom();
  }
}

function requireRoom(accounts: readonly StoredAccount[]): void {
  if (accounts.some(({ isVerified }) => isVerified) || accounts.length >= maxUnverifiedAccounts) {
    throw noRoom();
  }
}

/** One error for all reasons: it does not reveal whether the address is verified. */
function noRoom(): AppError {
  return new AppError(
    "already_exists",
    "No account can be created with this email address. If it is yours, sign in, or reset the password.",
  );
}

export function alreadyExists(): AppError {
  return new AppError("already_exists", "An account with this email address already exists.");
}

export interface NewAccount {
  readonly userId: string;
  readonly workspaceId: string;
  /** As `parseAccountAddress` writes it. */
  readonly email: string;
  readonly passwordHash: string;
  /** Of the user and of the workspace. */
  readonly name: string;
  readonly tier: Tier;
  readonly isVerified: boolean;
}

/** Inserts a user and a workspace, in a transaction that has locked the address (`lockAddress`). */
export async function insertAccount(
  transaction: QueryableTables,
  { userId, workspaceId, email, passwordHash, name, tier, isVerified }: NewAccount,
): Promise<void> {
  await transaction.query((tables: AccountTables) =>
    tables.insertInto("workspace").values({ id: workspaceId, name, tier, createdAt: databaseTime }),
  );
  await transaction.query((tables: AccountTables) =>
    tables.insertInto("account").values((eb) => {
      const createdAt = eb.selectFrom("workspace").select("createdAt").where("id", "=", workspaceId).$asScalar();
      return {
        id: userId,
        workspaceId,
        email,
        passwordHash,
        name,
        createdAt,
        passwordSetAt: createdAt,
        emailVerifiedAt: isVerified ? createdAt : null,
        endsAt: isVerified ? null : sql<Date>`${createdAt} + ${hoursToVerify} * interval '1 hour'`,
      };
    }),
  );
}

/**
 * Makes an account and begins its first session. Throws `rate_limited` after too many sign-ups from one source, and what
 * `createAccount` throws.
 */
export async function signUp(
  deps: SessionDependencies & AccountDependencies & { readonly signUpsPerHour: number },
  input: {
    readonly email: string;
    readonly password: string;
    readonly name: string;
    readonly clientAddress: string | undefined;
  },
): Promise<SessionGrant> {
  await countSignUp(deps, input);
  const account = await createAccount(deps, input);
  const session = await deps.database.transaction((database) =>
    openSession({ ...deps, database }, { ...account, tokenRevision: 0 }, input),
  );
  if (session === undefined) {
    throw new Error("an account that was just made has no session");
  }
  return session;
}
