import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import type { RevocationOptions } from "../../src/revocation/revocation-service.ts";
import { TestCredentialStore } from "../revocation/test-credential-store.ts";
import { connectionTo } from "../support/database-address.ts";
import { querySql } from "../support/sql.ts";

let store: TestCredentialStore;

beforeAll(async () => {
  store = await TestCredentialStore.open();
});

afterAll(() => store.close());

beforeEach(() => store.reset());

test("a revocation waits for a dead server until its lease expires; later revocations do not wait", async () => {
  const { service, change, version } = await store.startServer({ leaseMs: 400 });
  await store.addCrashedServer(400);
  const startedAt = performance.now();
  await change("ada");
  const waitedMs = performance.now() - startedAt;
  expect(waitedMs).toBeGreaterThanOrEqual(440);
  expect(service.metrics().unheardServers).toBe(1);
  expect(await version("ada")).toBe(2);
  await change("ada");
  expect(service.metrics().unheardServers).toBe(1);
});

test("a revocation whose server died before confirming it can be confirmed by another server", async () => {
  const { service, version } = await store.startServer({ leaseMs: 300 });
  await version("ada");
  await store.addCrashedServer(300);
  await store.run("UPDATE badge SET version = 2 WHERE id = 'ada'");
  await store.run("INSERT INTO revocation (subject, created_at) VALUES ('badge:ada', byond_now())");
  const startedAt = performance.now();
  await service.confirmEarlier();
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(330);
  expect(await version("ada")).toBe(2);
  await service.confirmEarlier();
  expect(service.metrics().unheardServers).toBe(1);
});

test("a revocation waits for the longest lease, not for the revoking server's own", async () => {
  const { change } = await store.startServer({ leaseMs: 100 });
  await store.addCrashedServer(500);
  const startedAt = performance.now();
  await change("ada");
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(550);
});

test("a server whose connection is cut reconnects and receives revocations again", async () => {
  const one = await store.startServer({ leaseMs: 10_000 });
  const two = await store.startServer({ leaseMs: 10_000 });
  for (let cut = 0; cut < 5; cut += 1) {
    await two.version("ada");
    const before = two.service.metrics().renewals;
    await store.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'byond revocations' AND datname = current_database()",
    );
    const version = await one.change("ada");
    expect(await Promise.all([one.version("ada"), two.version("ada")])).toEqual([version, version]);
    await expect.poll(() => two.service.metrics().renewals, { timeout: 10_000 }).toBeGreaterThan(before);
  }
  expect(two.service.metrics().registrations).toBe(1);
});

test("a server whose row was deleted drops its cache before it serves from it again", async () => {
  const { service, version, reads } = await store.startServer({ leaseMs: 400 });
  expect(await version("ada")).toBe(1);
  // As if it had been away: the row is gone, and so is the revocation that it missed.
  await store.run("UPDATE badge SET version = 7");
  await store.run("DELETE FROM server");
  await expect.poll(() => service.metrics().registrations, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => service.metrics().leaseIsValid, { timeout: 10_000 }).toBe(true);
  expect(await version("ada")).toBe(7);
  expect(reads()).toBe(2);
});

test("a server whose row was restored from a backup drops its cache: revocations after the backup no longer hold", async () => {
  const { service, version } = await store.startServer({ leaseMs: 400 });
  await store.run("CREATE TABLE backup AS SELECT * FROM server");
  const before = service.metrics().renewals;
  await expect.poll(() => service.metrics().renewals, { timeout: 10_000 }).toBeGreaterThan(before);
  expect(await version("ada")).toBe(1);
  await store.run("UPDATE badge SET version = 7");
  await store.run(
    "UPDATE server SET renewals = backup.renewals, applied_seq = backup.applied_seq FROM backup WHERE server.id = backup.id",
  );
  await expect.poll(() => service.metrics().registrations, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => service.metrics().leaseIsValid, { timeout: 10_000 }).toBe(true);
  expect(await version("ada")).toBe(7);
  await store.run("DROP TABLE backup");
});

test("without a lease every request reads the database, and is refused if the database is unreachable", async () => {
  let offsetMs = 0;
  const clock = { now: () => new Date(), monotonicMs: () => performance.now() + offsetMs };
  const { service, version, reads } = await store.startServer({ leaseMs: 60_000, clock });
  await version("ada");
  offsetMs += 60_001;
  expect(service.metrics().leaseIsValid).toBe(false);
  await Promise.all([version("ada"), version("ada"), version("ada")]);
  expect(reads()).toBe(4);

  const broken = service.cache<string>({
    subjectOf: (id) => `badge:${id}`,
    maxEntries: 100,
    load: async () => {
      throw new AppError("unavailable", "The service is not available right now.");
    },
  });
  await expect(broken.get("ada")).rejects.toMatchObject({ code: "unavailable" });
});

test("a server that cannot reach the database starts anyway, without a lease", async () => {
  const url = new URL(store.url);
  url.port = "1";
  const { service, version, log } = await store.startServer({ connection: await connectionTo(url.href) });
  expect(service.metrics()).toMatchObject({ leaseIsValid: false, renewals: 0 });
  expect(await version("ada")).toBe(1);
  expect(log.lines.filter((line) => line.includes("revocation_connection_failed"))).toHaveLength(1);
});

test("a revocation that cannot be confirmed reports it, and is confirmed when repeated", async () => {
  let isCut = false;
  const cuttable: RevocationOptions["database"] = {
    transaction: (work) => store.database.transaction(work),
    run: async (statement, values) => {
      if (isCut) {
        throw new AppError("unavailable", "The service is not available right now.");
      }
      return store.database.run(statement, values);
    },
  };
  const { change, version } = await store.startServer({ database: cuttable, leaseMs: 200 });
  isCut = true;
  await expect(change("ada")).rejects.toMatchObject({ code: "outcome_unknown" });
  isCut = false;
  expect(await change("ada")).toBe(3);
  expect(await version("ada")).toBe(3);
});

test("a renewal that hangs closes its connection, and the lease is renewed when the database is back", async () => {
  const { service, version } = await store.startServer({ leaseMs: 300 });
  await version("ada");
  const mayGoOn = Promise.withResolvers<void>();
  const isLocked = Promise.withResolvers<void>();
  const blockade = store.database.transaction(async (transaction) => {
    await querySql(transaction, { name: "test_lock_servers", text: "SELECT FROM server FOR UPDATE" }, []);
    isLocked.resolve();
    await mayGoOn.promise;
  });
  await isLocked.promise;
  await expect.poll(() => service.metrics().leaseIsValid, { timeout: 10_000 }).toBe(false);
  expect(await version("ada")).toBe(1);
  await expect.poll(() => service.metrics().failedRenewals, { timeout: 10_000 }).toBeGreaterThan(0);
  mayGoOn.resolve();
  await blockade;
  await expect.poll(() => service.metrics().leaseIsValid, { timeout: 10_000 }).toBe(true);
  expect(service.metrics().registrations).toBe(1);
});
