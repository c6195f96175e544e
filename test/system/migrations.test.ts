/** Migrations run beside servers that serve, take as long as they need, and go on where one failed. */
import { Migration } from "@mikro-orm/migrations";
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { migrate } from "../../src/database/migrate.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { standardSchema } from "../support/schema.ts";
import { MainProcess } from "./main-process.ts";

let database: TestDatabase;
let client: pg.Client;
let holder: pg.Client;
beforeEach(async () => {
  database = await createMigratedDatabase();
  [client, holder] = await connectTwice(database.url);
});
afterEach(async () => {
  await client.end();
  await holder.end();
  await database.drop();
});

async function connectTwice(connectionString: string): Promise<[pg.Client, pg.Client]> {
  const clients: [pg.Client, pg.Client] = [new pg.Client({ connectionString }), new pg.Client({ connectionString })];
  await Promise.all(clients.map((each) => each.connect()));
  return clients;
}

const logger = () => captureLog().logger;

/** Locks a table that servers use, and then one more. */
class ServerNext extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE server ADD COLUMN note text");
  }
}

class OutboxNext extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql("CREATE INDEX IF NOT EXISTS verification_by_brand ON verification (brand)");
    this.addSql("CREATE INDEX IF NOT EXISTS outbox_by_kind ON outbox (kind)");
  }
}

const nextMigrations = [
  ...standardSchema.migrations,
  { name: "server-next", class: ServerNext },
  { name: "outbox-next", class: OutboxNext },
];

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

async function migrateTo(migrations: typeof nextMigrations, url = database.url): Promise<void> {
  await migrate({ ...standardSchema, connection: await connectionTo(url), logger: logger(), migrations });
}

async function namesOfDone(): Promise<string[]> {
  const { rows } = await client.query("SELECT name FROM schema_migration ORDER BY id");
  return rows.map(({ name }) => name);
}

test("while the last index waits to be built, servers renew their leases and serve verifications", async () => {
  await holdOutbox();
  const migrated = migrateTo(nextMigrations);
  await untilTheyWait();
  await client.query("SET lock_timeout = 200");
  await client.query("UPDATE server SET renewed_at = byond_now()");
  await client.query("UPDATE verification SET attempts = 0");
  await holder.query("COMMIT");
  await migrated;
});

test("timeouts set for the role or in the URL do not end a migration", async () => {
  await holdOutbox();
  const options = encodeURIComponent("-c statement_timeout=300 -c lock_timeout=200");
  const migrated = migrateTo(nextMigrations, `${database.url}?options=${options}`);
  await Promise.race([untilTheyWait(), migrated]);
  await holder.query("COMMIT");
  await migrated;
});

test("a cancelled migration keeps the finished ones, and the next start continues after them", async () => {
  await holdOutbox();
  const migrated = migrateTo(nextMigrations);
  await Promise.all([
    expect(migrated).rejects.toThrow("canceling statement due to user request"),
    client.query("SELECT pg_cancel_backend($1)", [await untilTheyWait()]),
  ]);
  expect((await namesOfDone()).at(-1)).toBe("server-next");
  await holder.query("COMMIT");
  await migrateTo(nextMigrations);
  expect(await namesOfDone()).toEqual(nextMigrations.map(({ name }) => name));
});

test("a server whose migration is cancelled explains it in a sentence", async () => {
  await Promise.all([client.end(), holder.end()]);
  await database.drop();
  database = await createTestDatabase();
  [client, holder] = await connectTwice(database.url);
  await holder.query("BEGIN");
  await holder.query("CREATE TABLE outbox ()");
  await using main = new MainProcess({
    environment: { DATABASE_URL: database.url, BYOND_SECRET: "0123456789abcdef0123456789abcdef", PORT: "0" },
  });
  await client.query("SELECT pg_cancel_backend($1)", [await untilTheyWait()]);
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.log.trim()).toMatch(
    /^The database of DATABASE_URL cannot be used: .*canceling statement due to user request\. It was cancelled, .*$/,
  );
  const done = standardSchema.migrations.map(({ name }) => name);
  expect(await namesOfDone()).toEqual(done.slice(0, done.indexOf("outbox-0001")));
  await holder.query("ROLLBACK");
  await migrateTo([...standardSchema.migrations]);
  expect(await namesOfDone()).toEqual(done);
});

test("an older server starts on a database that a newer one has migrated", async () => {
  await migrateTo(nextMigrations);
  await migrateTo([...standardSchema.migrations]);
  expect(await namesOfDone()).toEqual(nextMigrations.map(({ name }) => name));
});

class Brand0001 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_by_brand");
    this.addSql("CREATE INDEX CONCURRENTLY verification_by_brand ON verification (brand)");
  }
}

test("an index is built concurrently while writes go on, and while another server waits for the migration lock", async () => {
  const withIndex = [...standardSchema.migrations, { name: "brand-0001", class: Brand0001 }];
  // The index waits for this transaction, and the table is written meanwhile.
  await holder.query("BEGIN");
  await holder.query("LOCK TABLE verification IN ROW EXCLUSIVE MODE");
  const first = migrateTo(withIndex);
  await untilTheyWait();
  const second = migrateTo(withIndex);
  await client.query("SET lock_timeout = 200");
  await client.query("UPDATE verification SET attempts = 0");
  await holder.query("COMMIT");
  await Promise.all([first, second]);
  const { rows } = await client.query(
    "SELECT indisvalid FROM pg_index WHERE indexrelid = 'verification_by_brand'::regclass",
  );
  expect(rows).toEqual([{ indisvalid: true }]);
});
