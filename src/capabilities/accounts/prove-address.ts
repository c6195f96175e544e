import type { Queryable, QueryableTables } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { databaseTime } from "../../database/table-query.ts";
import { AppError } from "../../errors.ts";
import type { HeldCredential } from "../../revocation/held-credential.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import type { AccountTables } from "./account-tables.ts";
import { type AccountReference, deleteAccountRows, subjectsOfAccount } from "./delete-account-rows.ts";
import { findAccountsByEmail, type StoredAccount } from "./find-account.ts";

const lock = statement("lock_address")(
  { email: text },
  (p) => `SELECT pg_advisory_xact_lock(hashtextextended('address:' || ${p.email}, 0))`,
);

/**
 * Locks an address: until the transaction ends, nobody else signs up with it or proves it. Taken before all other locks, so
 * that there is no deadlock.
 */
export async function lockAddress(transaction: Queryable, email: string): Promise<void> {
  await transaction.run(lock, { email });
}

/**
 * Ends those of the accounts that are unverified, and with `onlyDue` only those whose time is over. To be run by `revoke`, with
 * `subjectsOfAccount` of each. Returns how many ended.
 */
export async function endUnverifiedAccounts(
  transaction: QueryableTables,
  accounts: readonly AccountReference[],
  { onlyDue }: { readonly onlyDue: boolean },
): Promise<number> {
  if (accounts.length === 0) {
    return 0;
  }
  const ids = accounts.map(({ userId }) => userId);
  const ending = await transaction.query((tables: AccountTables) => {
    const unverified = tables
      .selectFrom("account")
      .select(["id as userId", "workspaceId"])
      .where("id", "in", ids)
      .where("emailVerifiedAt", "is", null)
      .orderBy("id")
      .forUpdate();
    return onlyDue
      ? unverified.where("endAnnouncedAt", "is not", null).where("endsAt", "<=", databaseTime).skipLocked()
      : unverified;
  });
  await deleteAccountRows(transaction, ending, "The account ended: its address was not verified.");
  return ending.length;
}

/** The outcome of a proof: the account that has the address now, or undefined if nothing was proved. */
export interface ProofOutcome {
  readonly provenBy: AccountReference | undefined;
}

interface ProofDependencies {
  readonly database: QueryableTables;
  readonly revocation: Pick<RevocationService, "revoke">;
}

const maxAttempts = 10;

/**
 * Runs `prove` while nobody else signs up with the address or proves it; it is given the address's accounts. If it names one,
 * that one has proved the address, and all other unverified accounts of it end: when this returns, no server accepts their
 * keys and sessions, and every server knows that the one is verified.
 */
export async function proveAddress<T extends ProofOutcome>(
  { database, revocation }: ProofDependencies,
  { email, credential = null }: { readonly email: string; readonly credential?: HeldCredential },
  prove: (transaction: QueryableTables, accounts: readonly StoredAccount[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const known = await findAccountsByEmail({ database }, email);
    const change = async (transaction: QueryableTables) => {
      await lockAddress(transaction, email);
      const accounts = await findAccountsByEmail({ database: transaction }, email);
      if (accounts.some(({ userId }) => known.every((account) => account.userId !== userId))) {
        throw new AnotherSignedUp();
      }
      const outcome = await prove(transaction, accounts);
      if (outcome.provenBy !== undefined) {
        const { userId } = outcome.provenBy;
        const others = accounts.filter((account) => account.userId !== userId);
        await endUnverifiedAccounts(transaction, others, { onlyDue: false });
      }
      return outcome;
    };
    try {
      return await revocation.revoke(known.flatMap(subjectsOfAccount), change, {
        credential,
        hasRevoked: ({ provenBy }) => provenBy !== undefined,
      });
    } catch (error) {
      if (!(error instanceof AnotherSignedUp)) {
        throw error;
      }
      if (attempt === maxAttempts) {
        throw new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 });
      }
    }
  }
}

/** An account was added between reading and locking. Nothing was done: read again. */
class AnotherSignedUp extends Error {
  override readonly name = "AnotherSignedUp";
}
