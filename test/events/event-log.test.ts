/** The order of events: nothing appears behind a reader, whatever commits when. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Database } from "../../src/database/database.ts";
import { EventLog } from "../../src/events/event-log.ts";
import { numberingBatchSize } from "../../src/events/events.policy.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { standardSchema } from "../support/schema.ts";

let own: TestDatabase;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  own = await createMigratedDatabase();
});
afterAll(async () => {
  for (const each of open.toReversed()) {
    await each[Symbol.asyncDispose]();
  }
  await own.drop();
});

async function connect(url = own.url): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  open.push({ [Symbol.asyncDispose]: () => client.end() });
  return client;
}

/** The log as one of the servers has it, without its timer. */
async function openLog(url = own.url): Promise<EventLog> {
  const { logger } = captureLog();
  const database = await Database.open({ connection: await connectionTo(url), logger, ...standardSchema });
  const log = new EventLog({ database, logger, clock: { monotonicMs: () => performance.now() } });
  open.push({
    async [Symbol.asyncDispose]() {
      await log.stop();
      await database.close();
    },
  });
  return log;
}

const write = (client: pg.Client, workspaceId: string, subject: string) =>
  client.query(
    `INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
     VALUES ($1, 'test', 'badge.issued', $2, byond_now(), '{}')`,
    [workspaceId, subject],
  );

const newWorkspace = () => `ws_${randomBytes(6).toString("hex")}`;

/** Reads on until `count` events of the workspace are found, each time from where it stopped. */
async function readOn(log: EventLog, workspaceId: string, count: number, from = 0): Promise<string[]> {
  const subjects: string[] = [];
  let position = from;
  await vi.waitFor(async () => {
    for (const event of await log.readAfter(position, 100)) {
      expect(event.position).toBeGreaterThan(position);
      position = event.position;
      if (event.workspaceId === workspaceId) {
        subjects.push(event.subjectId);
      }
    }
    expect(subjects.length).toBe(count);
  }, 20_000);
  return subjects;
}

test("a reader that only remembers where it stopped loses nothing of many writers with slow commits", async () => {
  const workspaceId = newWorkspace();
  const logs = await Promise.all([openLog(), openLog(), openLog()]);
  const reader = await openLog();
  const [writers, rounds] = [12, 25];
  const reading = readOn(reader, workspaceId, writers * rounds);
  const written: string[] = [];
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const client = await connect();
      for (let round = 0; round < rounds; round++) {
        const subject = `${writer}-${round}`;
        await client.query("BEGIN");
        await write(client, workspaceId, subject);
        // Others that got a later number commit, and are numbered, before this one.
        await client.query("SELECT pg_sleep($1)", [writer % 3 === 0 ? 0.02 * ((round * 7 + writer) % 5) : 0]);
        const isGivenUp = (round + writer) % 10 === 9;
        await client.query(isGivenUp ? "ROLLBACK" : "COMMIT");
        if (!isGivenUp) {
          written.push(subject);
        } else {
          await write(client, workspaceId, `${subject} again`);
          written.push(`${subject} again`);
        }
        logs[(writer + round) % logs.length]?.committed();
      }
    }),
  );
  const read = await reading;
  expect(read.toSorted()).toEqual(written.toSorted());
  // What one writer wrote after its own commit comes later.
  for (let writer = 0; writer < writers; writer++) {
    const ofWriter = read.filter((subject) => subject.startsWith(`${writer}-`));
    expect(ofWriter).toEqual(written.filter((subject) => subject.startsWith(`${writer}-`)));
  }
}, 60_000);

test("times have the order of positions, also for a transaction that commits late", async () => {
  const workspaceId = newWorkspace();
  const log = await openLog();
  const [slow, fast] = [await connect(), await connect()];
  const from = await log.lastPosition();
  await slow.query("BEGIN");
  await write(slow, workspaceId, "slow");
  await write(fast, workspaceId, "fast");
  log.committed();
  await readOn(log, workspaceId, 1, from);
  await slow.query("COMMIT");
  log.committed();
  expect(await readOn(log, workspaceId, 2, from)).toEqual(["fast", "slow"]);
  const [first, second] = await log.readAfter(from, 2);
  expect(Number(second?.createdAt)).toBeGreaterThanOrEqual(Number(first?.createdAt));
});

test("an idle transaction that has written in another database stalls nothing", async () => {
  const other = await createTestDatabase();
  // Dropped after those that are connected to it have left.
  open.unshift({ [Symbol.asyncDispose]: () => other.drop() });
  const idle = await connect(other.url);
  await idle.query("CREATE TABLE note (id integer)");
  await idle.query("BEGIN");
  await idle.query("INSERT INTO note VALUES (1)");
  const workspaceId = newWorkspace();
  const log = await openLog();
  const client = await connect();
  for (const subject of ["one", "two", "three"]) {
    const from = await log.lastPosition();
    await write(client, workspaceId, subject);
    log.committed();
    expect(await readOn(log, workspaceId, 1, from)).toEqual([subject]);
  }
  await idle.query("COMMIT");
});

test("an idle transaction that has written an event in this database delays only its own", async () => {
  const workspaceId = newWorkspace();
  const log = await openLog();
  const [idle, client] = [await connect(), await connect()];
  const from = await log.lastPosition();
  await idle.query("BEGIN");
  await write(idle, workspaceId, "idle");
  await write(client, workspaceId, "next");
  log.committed();
  expect(await readOn(log, workspaceId, 1, from)).toEqual(["next"]);
  await idle.query("COMMIT");
  log.committed();
  expect(await readOn(log, workspaceId, 2, from)).toEqual(["next", "idle"]);
});

test("a trigger on the insertion of events runs once for each, in the transaction that numbers it, and sees what was committed before", async () => {
  const client = await connect();
  await client.query(`
    CREATE TABLE follower (workspace_id text, enabled_for text);
    CREATE TABLE followed (position bigint PRIMARY KEY, subject_id text);
    CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO followed SELECT numbered.position, numbered.subject_id FROM numbered
        JOIN follower USING (workspace_id);
      RETURN NULL;
    END $$;
    CREATE TRIGGER follow AFTER INSERT ON event REFERENCING NEW TABLE AS numbered FOR EACH STATEMENT EXECUTE FUNCTION follow()`);
  const workspaceId = newWorkspace();
  const log = await openLog();
  const blocker = await connect();
  // Numbering waits for its turn; the follower is made, and then the event, while it waits.
  await blocker.query("BEGIN");
  await write(blocker, newWorkspace(), "something to number");
  await blocker.query("COMMIT");
  await blocker.query("BEGIN");
  await blocker.query("SELECT pg_advisory_xact_lock(7269341953)");
  log.committed();
  await vi.waitFor(
    async () => {
      const { rowCount } = await client.query(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      );
      expect(rowCount).toBe(1);
    },
    { timeout: 20_000 },
  );
  await client.query("INSERT INTO follower VALUES ($1, 'all')", [workspaceId]);
  await write(client, workspaceId, "followed");
  await blocker.query("COMMIT");
  await vi.waitFor(
    async () => {
      const { rows } = await client.query("SELECT subject_id FROM followed");
      expect(rows).toEqual([{ subject_id: "followed" }]);
    },
    { timeout: 20_000 },
  );
});

test("listeners hear of every position that another server gave", async () => {
  const workspaceId = newWorkspace();
  const [one, another] = [await openLog(), await openLog()];
  const client = await connect();
  const listening = await connect();
  const heard: number[] = [];
  const stop = another.onNumbered((position) => heard.push(position));
  listening.on("notification", ({ payload = "" }) => another.notified(payload));
  await listening.query("LISTEN byond_event");
  await write(client, workspaceId, "heard");
  one.committed();
  await vi.waitFor(() => expect(heard).not.toEqual([]), 5_000);
  expect(heard.at(-1)).toBe(await one.lastPosition());
  // A notification that was lost is made up for by the next look.
  await listening.query("UNLISTEN *");
  await write(client, workspaceId, "unheard");
  one.committed();
  await readOn(one, workspaceId, 2);
  another.committed();
  await vi.waitFor(async () => expect(heard.at(-1)).toBe(await one.lastPosition()), 5_000);
  stop();
});

test("a database that was restored from a dump goes on where the dump ended, for whoever had read from the old one", async () => {
  const workspaceId = newWorkspace();
  const log = await openLog();
  const client = await connect();
  const from = await log.lastPosition();
  for (const subject of ["one", "two"]) {
    await write(client, workspaceId, subject);
  }
  log.committed();
  expect(await readOn(log, workspaceId, 2, from)).toEqual(["one", "two"]);
  const read = await log.lastPosition();
  await client.query("BEGIN");
  await write(client, workspaceId, "three");
  const restored = await restore(client);
  await client.query("ROLLBACK");
  const [later, anew] = [await openLog(restored.url), await connect(restored.url)];
  await write(anew, workspaceId, "four");
  later.committed();
  expect(await readOn(later, workspaceId, 2, read)).toEqual(["three", "four"]);
  expect(await readOn(later, workspaceId, 4, from)).toEqual(["one", "two", "three", "four"]);
});

/** What `pg_dump` and `pg_restore` do for the tables of events, in a transaction that sees what it has written: rows, and then sequences. */
async function restore(client: pg.Client): Promise<TestDatabase> {
  const database = await createMigratedDatabase();
  const target = await connect(database.url);
  open.unshift({ [Symbol.asyncDispose]: () => database.drop() });
  for (const table of ["event", "event_pending"]) {
    const { rows } = await client.query(`SELECT coalesce(json_agg(t), '[]')::text AS list FROM ${table} AS t`);
    await target.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`, [
      rows[0].list,
    ]);
  }
  for (const sequence of ["event_position", "event_pending_number"]) {
    const { rows } = await client.query(`SELECT last_value, is_called FROM ${sequence}`);
    await target.query("SELECT setval($1, $2, $3)", [sequence, rows[0].last_value, rows[0].is_called]);
  }
  return database;
}

test("numbering goes on after a batch that became larger by what was committed meanwhile", async () => {
  const batches = [
    { moved: numberingBatchSize + 1, lastNumber: 2_000, lastPosition: 1_001 },
    { moved: 5, lastNumber: 2_005, lastPosition: 1_006 },
  ];
  // biome-ignore lint/suspicious/noExplicitAny: rows of the one statement that is run.
  const run = async (): Promise<any[]> => batches.splice(0, 1);
  const log = new EventLog({ database: { run }, logger: captureLog().logger, clock: { monotonicMs: () => 0 } });
  let reached = 0;
  log.onNumbered((position) => {
    reached = position;
  });
  log.committed();
  await log.stop();
  expect([reached, batches]).toEqual([1_006, []]);
});

test("numbering goes on in smaller batches where a large one takes more time than a statement has", async () => {
  const workspaceId = newWorkspace();
  const client = await connect();
  const { logger } = captureLog();
  const database = await Database.open({ connection: await connectionTo(own.url), logger, ...standardSchema });
  open.push({ [Symbol.asyncDispose]: () => database.close() });
  const batches: number[] = [];
  const impatient = new EventLog({
    database: {
      run(statement, values) {
        const batch = values !== null && typeof values === "object" && "batch" in values ? Number(values.batch) : 0;
        batches.push(batch);
        return batch > 100
          ? Promise.reject(new Error("canceling statement due to statement timeout"))
          : database.run(statement, values);
      },
    },
    logger,
    clock: { monotonicMs: () => performance.now() },
  });
  await client.query(
    `INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
     SELECT $1, 'test', 'badge.issued', n::text, byond_now(), '{}' FROM generate_series(1, 250) AS n`,
    [workspaceId],
  );
  const count = async () => {
    const { rows } = await client.query("SELECT count(*)::integer AS n FROM event WHERE workspace_id = $1", [
      workspaceId,
    ]);
    return rows[0].n;
  };
  await vi.waitFor(async () => {
    impatient.committed();
    expect(await count()).toBe(250);
  }, 20_000);
  expect(batches.slice(0, 5)).toEqual([1_000, 500, 250, 125, 63]);
  await impatient.stop();
});

test("numbering on a read-only connection is an error also where there is nothing to number, so that the connection is closed", async () => {
  const client = await connect();
  await client.query("SET default_transaction_read_only = on");
  const numbered = client.query("SELECT number_events((SELECT coalesce(max(number), 0) FROM event_pending), 10)");
  await expect(numbered).rejects.toMatchObject({ code: "25006" });
});
