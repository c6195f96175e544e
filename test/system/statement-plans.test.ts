/**
 * No statement that runs per call, per message or per second may read more of a table because the table has grown, whatever
 * PostgreSQL knew of the table when it planned the statement. Each is prepared in a database with a few rows, with a generic plan, and
 * runs when the tables are full, without autovacuum. `auto_explain` shows the plans, those of statements in functions included.
 */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import { applySessionSettings } from "../../src/database/session-settings.ts";
import { testPrices } from "../capabilities/balance/balance-fixture.ts";
import { startTestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { standardSchema } from "../support/schema.ts";
import { fullTables } from "./full-tables.ts";
import { definedStatements, type SentStatement, sentStatements } from "./hot-statements.ts";

let original: TestDatabase;
let sent: readonly SentStatement[];
beforeAll(async () => {
  await setAutovacuum("off");
  const webhookDestinations = { allowedNetworks: [], allowsLoopback: true };
  await using app = await startTestApp(
    { webhookDestinations, allowsFixedCodes: true, prices: testPrices },
    { sweepIntervalMs: 2 ** 30 },
  );
  sent = (await sentStatements(app)).filter(({ text }) => !isControl(text));
  original = await migratedDatabase();
  await copyRows(app.databaseUrl, original.url);
}, 120_000);
afterAll(async () => {
  await original.drop();
  await setAutovacuum("on");
});

/** Of the whole cluster: otherwise it is a matter of luck whether it visits a new database before its tables are filled. */
async function setAutovacuum(value: "on" | "off"): Promise<void> {
  const client = await connect(inject("postgresUrl"));
  await client.query(`ALTER SYSTEM SET autovacuum = ${value}`);
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}

async function migratedDatabase(): Promise<TestDatabase> {
  const created = await createTestDatabase();
  const connection = await connectionTo(created.url);
  const database = await Database.open({ connection, logger: captureLog().logger, ...standardSchema });
  await database.close();
  return created;
}

const isControl = (text: string) => /^\s*(BEGIN|COMMIT|ROLLBACK|SET|LISTEN|SELECT\s+set_config)/i.test(text);

/** Statements that the test does not run, and why they may be left out. */
const notRun: Readonly<Record<string, string>> = {
  ...reasonFor("a sweep goes through its table in batches, see sweeps.test.ts", [
    "sweep_closed_workspaces",
    "close_expired_spend_reserve",
    "count_verification_refunds",
    "sweep_revocation",
    "sweep_without_scans",
    "expire_verifications",
    "sweep_webhook_deliveries",
    "queue_account_end_notices",
    "sweep_webhook_deliveries",
  ]),
  ...reasonFor("a table with a row for each sweep, server, secret or setting", [
    "claim_sweep",
    "claim_bounce_mailbox",
    "advance_bounce_mailbox",
    "release_bounce_mailbox",
    "read_other_servers",
    "read_live_servers",
    "read_secret_uses",
    "record_master_secret_use",
    "read_master_secrets",
    "list_master_secrets",
    "read_servers_with_secret",
    "read_servers_with_other_secret",
    "delete_master_secret",
    "copy_master_secret_use",
    "read_tag_key",
    "revocation_remove_own",
    "revocation_remove_unrenewed",
  ]),
  ...reasonFor("reads 10,000 rows of a channel at most, see outbox-metrics.test.ts", ["outbox_depth"]),
  ...reasonFor("runs once, when a server starts or an operator calls it", [
    "lock_registration",
    "read_backup_time",
    "skip_event_positions",
    "end_all_sessions",
    "list_restored_keys",
    "revoke_restored_keys",
    "read_restored_names",
    "claim_ledger_currency",
    "find_workspace_to_top_up",
    "top_up_balance",
    "read_registration_lock_holder",
    "revocation_register",
    "revocation_last",
    "count_rows_of_secret",
    "erase_rows_of_secret",
    "read_rows_left_to_reseal",
    "read_rows_to_reseal",
    "write_resealed_rows",
    "count_fixed_codes_of_secret",
    "erase_fixed_codes_of_secret",
    "count_webhook_secrets",
    "erase_webhook_secrets",
    "read_webhook_secrets_to_reseal",
    "write_resealed_webhook_secrets",
    "count_guard_hooks_of_secret",
    "read_guard_hooks_to_reseal",
    "write_resealed_guard_hooks",
    "erase_guard_hooks_of_secret",
    "count_safe_list_of_secret",
    "read_safe_list_to_reseal",
    "write_resealed_safe_list",
    "erase_safe_list_of_secret",
    "read_suppressions_to_reseal",
    "write_resealed_suppressions",
    "erase_suppressions_of_secret",
    "count_lookups_of_secret",
    "read_lookups_to_reseal",
    "write_resealed_lookups",
    "erase_lookups_of_secret",
  ]),
  ...reasonFor("looks a row up by its primary key, as others do that are run", [
    "find_block_before_hook",
    "look_up_following_fallback_step",
    "look_up_taken_step",
    "look_up_attempt",
    "look_up_queued_message",
    "look_up_started_verification",
    "look_up_charge_of_lookups",
    "read_pending_verifications",
    "read_existence_of_event",
    "end_session_of_reused_token",
  ]),
  ...reasonFor("no scan: an upsert by the primary key, or no table at all", [
    "quota_reserve",
    "record_known_source",
    "transaction_status",
  ]),
};

/** Run when events are numbered while somebody follows them, which may be after the last call here. By its primary key. */
const runSometimes = ["read_events_after"];

function reasonFor(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

test("every statement in src is run here, or named with the reason why not", async () => {
  const names = sent.flatMap(({ name }) => name ?? []);
  const isRun = (defined: string) => names.some((name) => name === defined || name.startsWith(`${defined}_`));
  const defined = await definedStatements();
  expect(defined.filter((name) => !isRun(name) && notRun[name] === undefined && !runSometimes.includes(name))).toEqual(
    [],
  );
  expect(Object.keys(notRun).filter((name) => isRun(name) || !defined.includes(name))).toEqual([]);
});

describe.each([
  { when: "on tables that were never analysed", isPrepared: true, analyze: [] },
  // As autovacuum does on a new installation, and wherever a queue was emptied.
  { when: "on tables that were vacuumed while they were empty", isPrepared: true, analyze: ["empty"] },
  { when: "on tables that were analysed while they had a few rows", isPrepared: true, analyze: ["before"] },
  { when: "on full tables, with the statistics of almost empty ones", isPrepared: false, analyze: ["before"] },
  { when: "on full tables, with their statistics", isPrepared: false, analyze: ["before", "after"] },
] as const)("planned $when,", ({ isPrepared, analyze }) => {
  const moments: readonly string[] = analyze;

  test("statements read what they return, and little more", async () => {
    await using database = await connectTo(original, moments.includes("empty"));
    if (moments.includes("before")) {
      await database.helper.query("VACUUM ANALYZE");
    }
    if (isPrepared) {
      for (const statement of sent.filter(({ name }) => name !== undefined)) {
        await database.run(statement);
      }
    }
    for (const text of fullTables(await ownerOf(database.helper))) {
      await database.helper.query(text);
    }
    if (moments.includes("after")) {
      await database.helper.query("ANALYZE");
    }
    await database.explain();
    const problems: string[] = [];
    for (const statement of sent) {
      const found = await database.run(statement).then(
        (plans) => plans.flatMap(problemsOf),
        (error: Error) => [error.message],
      );
      problems.push(...found.map((problem) => `${statement.name ?? statement.text.slice(0, 200)}: ${problem}`));
    }
    expect(problems).toEqual([]);
  }, 300_000);
});

/** Makes a database with the rows of another one, as the calls left them, but with everything pending. */
async function copyRows(from: string, to: string): Promise<void> {
  const [source, target] = [await connect(from), await connect(to)];
  await target.query("SET session_replication_role = replica");
  const { rows: tables } = await source.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN ('installation', 'schema_migration')`,
  );
  for (const { name } of tables) {
    const { rows } = await source.query(`SELECT coalesce(json_agg(t), '[]')::text AS list FROM ${name} AS t`);
    await target.query(`INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, $1::json)`, [
      rows[0].list,
    ]);
  }
  await target.query(`
    UPDATE verification SET status = 'pending', attempts = 0, sends = 1, expires_at = now() + interval '1 hour';
    UPDATE outbox SET status = 'pending', finished_at = NULL, payload_sealed = '', expires_at = now() + interval '1 hour';
    SELECT setval('revocation_seq', 1000000)`);
  await source.end();
  await target.end();
}

async function ownerOf(client: pg.Client): Promise<{ readonly workspaceId: string; readonly userId: string }> {
  const { rows } = await client.query(
    `SELECT workspace_id AS "workspaceId", id AS "userId" FROM account WHERE email = 'owner-1@example.com'`,
  );
  return rows[0];
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** A copy of a database, with a session of a server, in which statements stay prepared. */
async function connectTo(template: TestDatabase, isVacuumed: boolean) {
  const database = await migratedDatabase();
  const [client, helper] = [await connect(database.url), await connect(database.url)];
  if (isVacuumed) {
    await helper.query("VACUUM");
  }
  await copyRows(template.url, database.url);
  // Of another session: the setting makes a session plan all of its statements again.
  await helper.query("SET session_replication_role = replica");
  await applySessionSettings(client);
  await client.query("SET plan_cache_mode = force_generic_plan");
  await client.query("SET statement_timeout = '5s'");
  let plans: Plan[] = [];
  client.on("notice", ({ message = "" }) => {
    const json = /plan:\n(\{[\s\S]*)/.exec(message)?.[1];
    if (json !== undefined) {
      plans.push(JSON.parse(json));
    }
  });

  /** Runs a statement, rolls it back, and returns its plans. Deletes a row that is in its way for as long as it runs. */
  async function run(statement: SentStatement): Promise<readonly Plan[]> {
    const removed: { readonly table: string; readonly row: string }[] = [];
    try {
      for (;;) {
        plans = [];
        const blocking = await attempt(statement);
        if (blocking === undefined) {
          return plans;
        }
        const { table, condition } = blocking;
        const { rows } = await helper.query(
          `DELETE FROM ${table} AS t WHERE ${condition} RETURNING row_to_json(t)::text AS row`,
        );
        removed.push({ table, row: rows[0].row });
      }
    } finally {
      for (const { table, row } of removed) {
        await helper.query(`INSERT INTO ${table} SELECT * FROM json_populate_record(NULL::${table}, $1::json)`, [row]);
      }
    }
  }

  async function attempt({ name, text, values }: SentStatement) {
    await client.query("BEGIN");
    try {
      await client.query({ ...(name === undefined ? {} : { name }), text, values: [...values] });
      return undefined;
    } catch (error) {
      return blockingRow(error);
    } finally {
      await client.query("ROLLBACK");
    }
  }

  async function explain(): Promise<void> {
    await client.query("LOAD 'auto_explain'");
    for (const [name, value] of Object.entries(explaining)) {
      await client.query(`SET ${name} = ${value}`);
    }
  }

  return {
    helper,
    run,
    explain,
    async [Symbol.asyncDispose]() {
      await client.end();
      await helper.end();
      await database.drop();
    },
  };
}

const explaining = {
  client_min_messages: "notice",
  "auto_explain.log_level": "notice",
  "auto_explain.log_min_duration": "0",
  "auto_explain.log_analyze": "on",
  "auto_explain.log_buffers": "on",
  "auto_explain.log_timing": "off",
  "auto_explain.log_nested_statements": "on",
  "auto_explain.log_format": "json",
};

/** The row that a repeated INSERT finds, from the error of PostgreSQL. Any other error is thrown. */
function blockingRow(error: unknown): { readonly table: string; readonly condition: string } {
  if (!(error instanceof pg.DatabaseError) || error.code !== "23505" || error.table === undefined) {
    throw error;
  }
  const [, columns, values = ""] = /^Key \((.*)\)=\((.*)\) already exists/.exec(error.detail ?? "") ?? [];
  return { table: error.table, condition: `(${columns}) = (${values.split(", ").map(pg.escapeLiteral)})` };
}

interface Plan {
  readonly "Query Text": string;
  readonly Plan: PlanNode;
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** What the plan reads too much of. A node that never ran reads nothing. */
function problemsOf({ Plan: plan, "Query Text": query }: Plan): string[] {
  return nodesOf(plan).flatMap((node) => {
    const { "Actual Loops": loops, "Relation Name": table = "", "Index Name": index = "" } = node;
    const returned = node["Actual Rows"] * loops;
    const removed = loops * removedOf(node);
    const pages = node["Shared Hit Blocks"] + node["Shared Read Blocks"];
    const isTooMuch = isScanOf(node)
      ? removed > 50 + returned || pages > 100 + 10 * returned || (isSequential(node) && returned > 100)
      : removed > 50 + returned;
    return isTooMuch
      ? [
          `${node["Node Type"]} ${table} ${index} returns ${returned} rows of ${returned + removed} and reads ${pages} pages, in ${query}`,
        ]
      : [];
  });
}

const isScanOf = (node: PlanNode) => node["Relation Name"] !== undefined && node["Node Type"].endsWith("Scan");
const isSequential = (node: PlanNode) => node["Node Type"] === "Seq Scan";

const removedOf = (node: PlanNode) =>
  (node["Rows Removed by Filter"] ?? 0) +
  (node["Rows Removed by Index Recheck"] ?? 0) +
  (node["Rows Removed by Join Filter"] ?? 0);
