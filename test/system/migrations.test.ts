/** Migrations run beside servers that serve, take as long as they need, and go on where one failed. */
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { migrate } from "../../src/database/migrate.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/connection.ts";
import { captureLog } from "../support/log-capture.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { MainProcess } from "./main-process.ts";

let database: TestDatabase;
let client: pg.Client;
let holder: pg.Client;
beforeEach(async () => {
  database = await createMigratedDatabase();
  client = new pg.Client({ connectionString: database.url });
  holder = new pg.Client({ connectionString: database.url });
  await client.connect();
  await holder.connect();
  await client.query(beforeIssue18);
});
afterEach(async () => {
  await client.end();
  await holder.end();
  await database.drop();
});

/** Of what 0013 to 0016 make and drop, all is undone. */
const beforeIssue18 = `
  DELETE FROM schema_migration WHERE name IN ('0013-secrets-of-servers', '0014-sweeps', '0015-erasure', '0016-indexes-of-lists');
  DROP TABLE master_secret, sweep;
  ALTER TABLE server DROP COLUMN secret_ids;
  DROP INDEX IF EXISTS session_oldest_first, workspace_to_erase, verification_of_server, verification_list,
    verification_of_recipient, outbox_of_subject, verification_newest_first, verification_by_recipient, outbox_by_subject;
  CREATE INDEX verification_newest_first ON verification (workspace_id, mode, created_at DESC, id DESC);
  CREATE INDEX verification_by_recipient ON verification (workspace_id, mode, recipient_index, created_at DESC, id DESC);
  CREATE INDEX outbox_by_subject ON outbox (workspace_id, subject_id, created_at)`;

const logger = () => captureLog().logger;

/** Somebody writes to the table, so that nobody can build an index on it. */
async function holdOutbox(): Promise<void> {
  await holder.query("BEGIN");
  await holder.query("LOCK TABLE outbox IN ROW EXCLUSIVE MODE");
}

/** Waits until the migrations have waited for half a second. Returns the process id of their connection. */
async function untilTheyWait(): Promise<number> {
  return vi.waitFor(
    async () => {
      const { rows } = await client.query(`
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND clock_timestamp() > query_start + interval '500 ms'`);
      expect(rows.length).toBe(1);
      return rows[0].pid;
    },
    { timeout: 30_000 },
  );
}

test("while the last index waits to be built, servers renew their leases, and verifications are written and read", async () => {
  await holdOutbox();
  const migrated = migrate({ connection: await connectionTo(database.url), logger: logger() });
  await untilTheyWait();
  await client.query("SET lock_timeout = 200");
  await client.query("UPDATE server SET renewed_at = byond_now()");
  await client.query("UPDATE verification SET attempts = 0");
  await holder.query("COMMIT");
  await migrated;
});

test("time-outs of the role or of the URL's options do not end a migration", async () => {
  await holdOutbox();
  const url = `${database.url}?options=${encodeURIComponent("-c statement_timeout=300 -c lock_timeout=200")}`;
  const migrated = migrate({ connection: await connectionTo(url), logger: logger() });
  await Promise.race([untilTheyWait(), migrated]);
  await holder.query("COMMIT");
  await migrated;
});

test("one that is cancelled is told in a sentence, and the next start goes on where it ended", async () => {
  await holdOutbox();
  await using main = new MainProcess({
    environment: { DATABASE_URL: database.url, BYOND_SECRET: "0123456789abcdef0123456789abcdef", PORT: "0" },
  });
  await client.query("SELECT pg_cancel_backend($1)", [await untilTheyWait()]);
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.log.trim()).toMatch(
    /^The database of DATABASE_URL cannot be used: .*canceling statement due to user request\. Somebody cancelled it, .*$/,
  );
  const done = await client.query("SELECT name FROM schema_migration WHERE name > '0013' ORDER BY name");
  expect(done.rows.map(({ name }) => name.slice(0, 4))).toEqual(expect.arrayContaining(["0013", "0014", "0015"]));
  expect(done.rows.map(({ name }) => name)).not.toContain("0016-indexes-of-lists");
  await holder.query("COMMIT");
  await migrate({ connection: await connectionTo(database.url), logger: logger() });
  const { rows } = await client.query(
    "SELECT indexname FROM pg_indexes WHERE tablename IN ('outbox', 'verification') ORDER BY indexname",
  );
  expect(rows.map(({ indexname }) => indexname)).toEqual([
    "outbox_due",
    "outbox_of_subject",
    "outbox_pkey",
    "verification_by_second_recipient",
    "verification_list",
    "verification_of_recipient",
    "verification_of_server",
    "verification_oldest_first",
    "verification_pkey",
  ]);
});
