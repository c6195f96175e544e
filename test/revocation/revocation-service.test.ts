import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Database, type Queryable } from "../../src/database/database.ts";
import { AppError } from "../../src/errors.ts";
import { type RevocationOptions, startRevocation } from "../../src/revocation/revocation-service.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { captureLog } from "../support/log-capture.ts";
import type { TestDatabase } from "../support/postgres.ts";

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createMigratedDatabase();
  database = await Database.open({ url: testDatabase.url, logger: captureLog().logger, entities: [] });
  await run("CREATE TABLE badge (id text PRIMARY KEY, team text NOT NULL, version integer NOT NULL)");
});

afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

beforeEach(async () => {
  await run("DELETE FROM server; DELETE FROM badge");
  await run("INSERT INTO badge VALUES ('ada', 'red', 1), ('bob', 'red', 1)");
});

async function run(text: string): Promise<void> {
  for (const statement of text.split(";")) {
    await database.query({ name: `test ${statement.slice(0, 50)}`, text: statement }, []);
  }
}

interface Badge {
  readonly version: number;
}

/** A server with a cache of badges, which counts how often it reads one. */
async function startServer(changes: Partial<RevocationOptions> = {}) {
  const log = captureLog();
  const service = await startRevocation({
    database,
    databaseUrl: testDatabase.url,
    clock: systemClock,
    logger: log.logger,
    serverId: "srv_test",
    ...changes,
  });
  onTestFinished(() => service.stop());
  let reads = 0;
  const cache = service.cache<Badge>({
    subjectOf: (id) => `badge:${id}`,
    maxEntries: 100,
    load: async (id) => {
      reads += 1;
      const text = "SELECT team, version FROM badge WHERE id = $1";
      const [row] = await database.query<{ team: string; version: number }>({ name: "test_read_badge", text }, [id]);
      return row === undefined ? undefined : { record: { version: row.version }, subjects: [`team:${row.team}`] };
    },
  });
  return {
    service,
    cache,
    log,
    reads: () => reads,
    version: async (id: string) => (await cache.get(id))?.record.version,
    /** Changes a badge and revokes it. */
    change: (id: string) => service.revoke([`badge:${id}`], (transaction) => raise(transaction, id)),
  };
}

async function raise(transaction: Queryable, id: string): Promise<number> {
  const text = "UPDATE badge SET version = version + 1 WHERE id = $1 RETURNING version";
  const [row] = await transaction.query<{ version: number }>({ name: "test_raise_badge", text }, [id]);
  return row?.version ?? 0;
}

test("with a lease, a credential is read once and then known without any statement", async () => {
  const { service, version, reads } = await startServer();
  expect(service.metrics().leaseIsValid).toBe(true);
  for (let request = 0; request < 100; request += 1) {
    expect(await version("ada")).toBe(1);
  }
  expect(reads()).toBe(1);
  expect(service.metrics().cache).toMatchObject({ hits: 99, misses: 1, readsWithoutLease: 0 });
});

test("a change made on one server is known to the other when the call returns, two hundred times", async () => {
  const one = await startServer();
  const two = await startServer();
  for (let round = 0; round < 200; round += 1) {
    await Promise.all([one.version("ada"), two.version("ada")]);
    const version = await one.change("ada");
    expect(await Promise.all([one.version("ada"), two.version("ada")])).toEqual([version, version]);
  }
  const { acknowledgement, unheardServers } = one.service.metrics();
  console.log(`200 revocations took ${(acknowledgement.sumMs / acknowledgement.count).toFixed(1)} ms on average`);
  expect(acknowledgement.count).toBe(200);
  // Acknowledged, not waited for until the lease was over.
  expect(unheardServers).toBe(0);
  expect(acknowledgement.sumMs / acknowledgement.count).toBeLessThan(1_000);
});

test("under constant load no request that is sent after the answer sees what was before", async () => {
  const servers = [await startServer(), await startServer()] as const;
  let answered = 1;
  let isOver = false;
  let requests = 0;
  const load = servers.map(async ({ version }) => {
    while (!isOver) {
      const least = answered;
      expect(await version("ada")).toBeGreaterThanOrEqual(least);
      requests += 1;
      if (requests % 50 === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });
  for (let round = 0; round < 50; round += 1) {
    answered = await servers[round % 2 === 0 ? 0 : 1].change("ada");
  }
  isOver = true;
  await Promise.all(load);
  expect(requests).toBeGreaterThan(1_000);
});

test("revocations of both servers at once are all answered and all hold", async () => {
  const one = await startServer();
  const two = await startServer();
  await Promise.all([...Array(20)].map((_, index) => (index % 2 === 0 ? one : two).change("ada")));
  expect(await Promise.all([one.version("ada"), two.version("ada")])).toEqual([21, 21]);
});

test("a subject that a record depends on takes every record with it", async () => {
  const { service, version } = await startServer();
  expect([await version("ada"), await version("bob")]).toEqual([1, 1]);
  await service.revoke(["team:red"], async (transaction) => {
    await raise(transaction, "ada");
    await raise(transaction, "bob");
  });
  expect([await version("ada"), await version("bob")]).toEqual([2, 2]);
});

test("the subjects can follow from the change, and a change without any is not waited for", async () => {
  const { service, version } = await startServer({ leaseMs: 60_000 });
  await version("ada");
  const id = await service.revoke(
    (changed: string) => [`badge:${changed}`],
    async (transaction) => {
      await raise(transaction, "ada");
      return "ada";
    },
  );
  expect(await version(id)).toBe(2);
  await service.revoke([], async () => undefined);
  expect(service.metrics().acknowledgement.count).toBe(1);
});

test("a change that fails revokes nothing", async () => {
  const { service, version, reads } = await startServer();
  await version("ada");
  const change = service.revoke(["badge:ada"], async (transaction) => {
    await raise(transaction, "ada");
    throw new AppError("not_found", "There is no such badge.");
  });
  await expect(change).rejects.toMatchObject({ code: "not_found" });
  expect(await version("ada")).toBe(1);
  expect(reads()).toBe(1);
});

test("calls under way are ended when their credential is revoked on another server, and only those", async () => {
  const one = await startServer();
  const two = await startServer();
  const ended: string[] = [];
  for (const id of ["ada", "bob"]) {
    const found = await two.cache.get(id);
    expect(found).toBeDefined();
    if (found !== undefined) {
      two.service.track(found, (reason) => ended.push(`${id}: ${reason.code}`));
    }
  }
  await one.change("ada");
  expect(ended).toEqual(["ada: invalid_api_key"]);
});

test("a server that is gone is waited for until its lease is over, and by one revocation only", async () => {
  const { service, change, version } = await startServer({ leaseMs: 400 });
  await run("INSERT INTO server VALUES ('srv_gone', 400, 0, 0, pg_postmaster_start_time(), byond_now())");
  const startedAt = performance.now();
  await change("ada");
  const waitedMs = performance.now() - startedAt;
  expect(waitedMs).toBeGreaterThanOrEqual(440);
  expect(service.metrics().unheardServers).toBe(1);
  expect(await version("ada")).toBe(2);
  await change("ada");
  expect(service.metrics().unheardServers).toBe(1);
});

test("the longest lease is what is waited for, not the revoker's own", async () => {
  const { change } = await startServer({ leaseMs: 100 });
  await run("INSERT INTO server VALUES ('srv_gone', 500, 0, 0, pg_postmaster_start_time(), byond_now())");
  const startedAt = performance.now();
  await change("ada");
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(550);
});

test("a server that stops is not waited for, and reads the database for what it is still asked", async () => {
  const one = await startServer({ leaseMs: 60_000 });
  const two = await startServer({ leaseMs: 60_000 });
  await two.version("ada");
  await two.service.stop();
  const version = await one.change("ada");
  expect(await two.version("ada")).toBe(version);
  expect(two.service.metrics()).toMatchObject({ leaseIsValid: false, cache: { readsWithoutLease: 1 } });
});

test("a server whose connection is cut makes a new one and hears of revocations again", async () => {
  const one = await startServer();
  const two = await startServer();
  for (let cut = 0; cut < 5; cut += 1) {
    await two.version("ada");
    const before = two.service.metrics().renewals;
    await run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'byond revocations' AND datname = current_database()",
    );
    const version = await one.change("ada");
    expect(await Promise.all([one.version("ada"), two.version("ada")])).toEqual([version, version]);
    await expect.poll(() => two.service.metrics().renewals, { timeout: 10_000 }).toBeGreaterThan(before);
  }
  expect(two.service.metrics().registrations).toBe(1);
});

test("a server whose row was removed forgets what it knew before it trusts itself again", async () => {
  const { service, version, reads } = await startServer({ leaseMs: 400 });
  expect(await version("ada")).toBe(1);
  // As if it had been away: the row is gone, and so is the revocation that it missed.
  await run("UPDATE badge SET version = 7; DELETE FROM server");
  await expect.poll(() => service.metrics().registrations, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => service.metrics().leaseIsValid, { timeout: 10_000 }).toBe(true);
  expect(await version("ada")).toBe(7);
  expect(reads()).toBe(2);
});

test("without a lease every request reads the database, and is refused if that cannot be reached", async () => {
  let offsetMs = 0;
  const clock = { now: () => new Date(), monotonicMs: () => performance.now() + offsetMs };
  const { service, version, reads } = await startServer({ leaseMs: 60_000, clock });
  await version("ada");
  offsetMs += 60_001;
  expect(service.metrics().leaseIsValid).toBe(false);
  await Promise.all([version("ada"), version("ada"), version("ada")]);
  expect(reads()).toBe(4);

  const broken = service.cache<Badge>({
    subjectOf: (id) => `badge:${id}`,
    maxEntries: 100,
    load: async () => {
      throw new AppError("unavailable", "The service is not available right now.");
    },
  });
  await expect(broken.get("ada")).rejects.toMatchObject({ code: "unavailable" });
});

test("a server that cannot reach the database starts all the same, without a lease", async () => {
  const url = new URL(testDatabase.url);
  url.port = "1";
  const { service, version, log } = await startServer({ databaseUrl: url.href });
  expect(service.metrics()).toMatchObject({ leaseIsValid: false, renewals: 0 });
  expect(await version("ada")).toBe(1);
  expect(log.lines.filter((line) => line.includes("no connection for revocations"))).toHaveLength(1);
});

test("a revocation that cannot be confirmed says so, and is confirmed when it is repeated", async () => {
  let isCut = false;
  const cuttable: RevocationOptions["database"] = {
    transaction: (work) => database.transaction(work),
    query: async (statement, values) => {
      if (isCut) {
        throw new AppError("unavailable", "The service is not available right now.");
      }
      return database.query(statement, values);
    },
  };
  const { change, version } = await startServer({ database: cuttable, leaseMs: 200 });
  isCut = true;
  await expect(change("ada")).rejects.toMatchObject({ code: "unavailable" });
  isCut = false;
  expect(await change("ada")).toBe(3);
  expect(await version("ada")).toBe(3);
});
