import type { Queryable } from "../database/database.ts";
import { outboxInsert } from "../delivery/outbox.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import { accountEndingKind } from "./account-ending-sender.ts";
import { type AccountReference, endUnverifiedAccounts, subjectsOfAccount } from "./unverified-accounts.ts";

/** Few enough that no statement holds its locks for long. */
const batchSize = 50;

/**
 * Marks accounts as told, and writes the mail that tells them. Its id follows from the account's: there is one. It is told a
 * day before the end, or the end moves.
 */
const announce = {
  name: "announce_account_endings",
  text: `
    WITH due AS (
      SELECT id FROM account
      WHERE end_announced_at IS NULL AND ends_at <= (SELECT byond_now() + interval '24 hours')
      ORDER BY ends_at LIMIT ${batchSize}
      FOR UPDATE SKIP LOCKED
    ), told AS (
      UPDATE account SET end_announced_at = now, ends_at = greatest(ends_at, now + interval '24 hours')
      FROM due, date_trunc('milliseconds', byond_now()) AS now
      WHERE account.id = due.id
      RETURNING account.id, account.workspace_id, account.end_announced_at, account.ends_at
    ), queued AS (${outboxInsert({
      from: "told",
      workspaceId: "workspace_id",
      id: "'dlv_' || split_part(id, '_', 2)",
      kind: `'${accountEndingKind}'`,
      lane: "$1",
      subjectId: "id",
      // All that there is to say is read when it leaves.
      payloadSealed: "''::bytea",
      claimedBy: "NULL",
      createdAt: "end_announced_at",
      expiresAt: "ends_at",
    })})
    SELECT count(*)::integer AS count FROM told`,
};

const readDue = {
  name: "read_ending_accounts",
  text: `
    SELECT id AS "userId", workspace_id AS "workspaceId" FROM account
    WHERE end_announced_at IS NOT NULL AND ends_at <= (SELECT byond_now())
    ORDER BY ends_at LIMIT ${batchSize}`,
};

/**
 * Tells unverified accounts a day before they end, and ends those whose time is over, a batch at a time, also beside other
 * servers that do the same. For servers that send mail: without it, nobody can prove an address.
 */
export async function sweepUnverifiedAccounts(deps: {
  readonly database: Queryable;
  readonly revocation: Pick<RevocationService, "revoke">;
  /** Of mail. */
  readonly lane: string;
}): Promise<void> {
  for (let told = batchSize; told === batchSize; ) {
    const [row] = await deps.database.query<{ count: number }>(announce, [deps.lane]);
    told = row?.count ?? 0;
  }
  for (let found = batchSize; found === batchSize; ) {
    const due = await deps.database.query<AccountReference & Record<string, unknown>>(readDue, []);
    found = due.length;
    if (found > 0) {
      const change = (transaction: Queryable) => endUnverifiedAccounts(transaction, due, { onlyDue: true });
      await deps.revocation.revoke(due.flatMap(subjectsOfAccount), change, { hasRevoked: (ended) => ended > 0 });
    }
  }
}
