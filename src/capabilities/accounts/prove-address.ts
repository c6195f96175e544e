import type { Queryable } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { HeldCredential } from "../../revocation/held-credential.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject, workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { hoursToVerify } from "./accounts.policy.ts";
import { findAccountsByEmail, type StoredAccount } from "./find-account.ts";

/** SQL of how long an account has for it, where mail is really sent. */
export const timeToVerify = `interval '${hoursToVerify} hours'`;

export type AccountReference = Pick<StoredAccount, "userId" | "workspaceId">;

/** What is revoked when an account ends. */
export function subjectsOfAccount({ userId, workspaceId }: AccountReference): string[] {
  return [accountSubject(userId), workspaceSubject(workspaceId)];
}

const lock = statement("lock_address")(
  { email: text },
  (p) => `SELECT pg_advisory_xact_lock(hashtextextended('address:' || ${p.email}, 0))`,
);

/**
 * Nobody else signs up with this address, or proves it, until the transaction ends. It comes before the transaction's other
 * locks, so that no two wait for each other.
 */
export async function lockAddress(transaction: Queryable, email: string): Promise<void> {
  await transaction.run(lock, { email });
}

/** The accounts first, as everybody does who locks them and what is theirs. */
const end = (name: string, condition: string, locking: string) =>
  statement<{ id: string }>(name)(
    { ids: array(text) },
    (p) => `
    WITH ending AS MATERIALIZED (
      SELECT id, workspace_id FROM account
      WHERE id = ANY (${p.ids}) AND email_verified_at IS NULL AND ${condition}
      ORDER BY id ${locking}
    ), deleted AS (
      DELETE FROM account USING ending WHERE account.id = ending.id
    ), sessions AS (
      DELETE FROM session USING ending WHERE session.workspace_id = ending.workspace_id
    ), keys AS (
      UPDATE api_key SET revoked_at = byond_now(), revocation_reason = 'The account ended: its address was not verified.'
      FROM ending WHERE api_key.workspace_id = ending.workspace_id AND revoked_at IS NULL
    ), workspaces AS (
      UPDATE workspace SET deactivated_at = coalesce(deactivated_at, byond_now()), name = '', ip_allowlist = NULL
      FROM ending WHERE workspace.id = ending.workspace_id
    ), attempts AS (
      DELETE FROM delivery_attempt USING ending
      WHERE delivery_attempt.workspace_id = ending.workspace_id AND subject_id = ending.id
    ), messages AS (
      DELETE FROM outbox USING ending WHERE outbox.workspace_id = ending.workspace_id AND subject_id = ending.id
    )
    SELECT id FROM ending`,
  );

const endNow = end("end_unverified_accounts", "true", "FOR UPDATE");
const endDue = end(
  "end_due_accounts",
  "end_announced_at IS NOT NULL AND ends_at <= byond_now()",
  "FOR UPDATE SKIP LOCKED",
);

/**
 * Ends those of the accounts that are unverified, and, if asked for, only those whose time is over: their users are removed,
 * their workspaces shut down, their keys and sessions gone. To be run by `revoke` with the subjects of each. How many they
 * were.
 */
export async function endUnverifiedAccounts(
  transaction: Queryable,
  accounts: readonly AccountReference[],
  { onlyDue }: { readonly onlyDue: boolean },
): Promise<number> {
  const ids = accounts.map(({ userId }) => userId);
  return (await transaction.run(onlyDue ? endDue : endNow, { ids })).length;
}

/** What somebody's proof of an address came to: the account that has it now, if it was one. */
export interface ProofOutcome {
  readonly provenBy: AccountReference | undefined;
}

interface ProofDependencies {
  readonly database: Queryable;
  readonly revocation: Pick<RevocationService, "revoke">;
}

const mostAttempts = 10;

/**
 * Runs `prove` while nobody else signs up with the address or proves it; it is given the address's accounts. If it names one,
 * that one has proved the address, and all other unverified accounts of it end: when this returns, no server accepts their
 * keys and sessions, and every server knows that the one is verified.
 */
export async function proveAddress<T extends ProofOutcome>(
  { database, revocation }: ProofDependencies,
  { email, credential = null }: { readonly email: string; readonly credential?: HeldCredential },
  prove: (transaction: Queryable, accounts: readonly StoredAccount[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const known = await findAccountsByEmail({ database }, email);
    const change = async (transaction: Queryable) => {
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
      if (attempt === mostAttempts) {
        throw new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 });
      }
    }
  }
}

/** Between looking and locking there was one more account. Nothing was done: look again. */
class AnotherSignedUp extends Error {
  override readonly name = "AnotherSignedUp";
}
