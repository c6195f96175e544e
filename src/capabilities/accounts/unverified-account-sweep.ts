import type { NotNull } from "kysely";
import type { Database, QueryableTables } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { databaseTime } from "../../database/table-query.ts";
import { runSweep } from "../../database/table-sweeps.ts";
import { type OutboxItem, type OutboxSender, outboxInsert } from "../../outbox/outbox.ts";
import type { SendResult } from "../../outbox/send-result.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import type { Channels } from "../channels/channels.ts";
import { renderAccountEnding } from "../channels/texts/server-mails.ts";
import type { AccountTables } from "./account-tables.ts";
import { hoursToldBefore } from "./accounts.policy.ts";
import { subjectsOfAccount } from "./delete-account-rows.ts";
import { endUnverifiedAccounts } from "./prove-address.ts";

/** Kind of the outbox message that warns an unverified account of its end. */
export const accountEndingKind = "account_ending";

/** Few enough that no statement holds its locks for long. */
const batchSize = 50;

/**
 * Marks accounts as warned and queues the mail. The id of the message is made of the account's, so that there is only one.
 * An account that is warned late ends later: it always has a day.
 */
const announce = statement<{ count: number }>("queue_account_end_notices")(
  { lane: text },
  (p) => `
    WITH due AS (
      SELECT id FROM account
      WHERE end_announced_at IS NULL AND ends_at <= (SELECT byond_now() + interval '${hoursToldBefore} hours')
      ORDER BY ends_at LIMIT ${batchSize}
      FOR UPDATE SKIP LOCKED
    ), warned AS (
      UPDATE account SET end_announced_at = now, ends_at = greatest(ends_at, now + interval '${hoursToldBefore} hours')
      FROM due, date_trunc('milliseconds', byond_now()) AS now
      WHERE account.id = due.id
      RETURNING account.id, account.workspace_id, account.end_announced_at, account.ends_at
    ), queued AS (${outboxInsert({
      from: "warned",
      workspaceId: "workspace_id",
      id: "'dlv_' || split_part(id, '_', 2)",
      kind: `'${accountEndingKind}'`,
      lane: p.lane,
      subjectId: "id",
      // The mail is written from the account when it is sent.
      payloadSealed: "''::bytea",
      claimedBy: "NULL",
      createdAt: "end_announced_at",
      expiresAt: "ends_at",
    })})
    SELECT count(*)::integer AS count FROM warned`,
);

const selectDue = (tables: AccountTables) =>
  tables
    .selectFrom("account")
    .select(["id as userId", "workspaceId"])
    .where("endAnnouncedAt", "is not", null)
    .where("endsAt", "<=", databaseTime)
    .orderBy("endsAt")
    .limit(batchSize);

/**
 * Warns unverified accounts a day before they end, and ends those whose time is over. Only for servers that send mail:
 * without mail nobody can prove an address.
 */
export function unverifiedAccountSweep(deps: {
  readonly database: Pick<Database, "query" | "transaction">;
  readonly revocation: Pick<RevocationService, "revoke">;
  /** The outbox lane of mail. */
  readonly lane: string;
}): Sweep {
  return {
    name: "unverified accounts",
    async removeBatch() {
      const warned = await runSweep(deps, announce, { lane: deps.lane });
      const due = await deps.database.query(selectDue);
      const change = (transaction: QueryableTables) => endUnverifiedAccounts(transaction, due, { onlyDue: true });
      const hasRevoked = (ended: number) => ended > 0;
      const ended =
        due.length === 0 ? 0 : await deps.revocation.revoke(due.flatMap(subjectsOfAccount), change, { hasRevoked });
      return warned?.count === batchSize || (ended > 0 && due.length === batchSize);
    },
  };
}

interface SenderDependencies {
  readonly database: QueryableTables;
  readonly channels: Pick<Channels, "sendMail">;
  /** Public base URL. */
  readonly url: () => string;
}

/** Warns unverified accounts of their end by mail, unless they were verified or have ended meanwhile. */
export class AccountEndingSender implements OutboxSender {
  readonly #deps: SenderDependencies;

  constructor(deps: SenderDependencies) {
    this.#deps = deps;
  }

  async send(item: OutboxItem, signal: AbortSignal): Promise<SendResult> {
    const { database, channels, url } = this.#deps;
    const [row] = await database.query((tables: AccountTables) =>
      tables
        .selectFrom("account")
        .select(["email", "endsAt"])
        .where("id", "=", item.subjectId)
        .where("endsAt", ">", databaseTime)
        .$narrowType<{ endsAt: NotNull }>(),
    );
    return row === undefined
      ? { kind: "withdrawn", reason: "the account was verified or has ended" }
      : channels.sendMail(row.email, renderAccountEnding({ endsAt: row.endsAt, url: url() }), {
          idempotencyKey: item.id,
          signal,
        });
  }
}
