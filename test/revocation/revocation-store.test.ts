import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import {
  createLeaseStore,
  createRevokerStore,
  revocationChannel,
  revocationSweep,
} from "../../src/revocation/revocation-store.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";
import { sweepAll } from "../support/sweep-all.ts";

let testDatabase: TestDatabase;
let database: Database;
let lease: ReturnType<typeof createLeaseStore>;
let revoker: ReturnType<typeof createRevokerStore>;

beforeAll(async () => {
  testDatabase = await createMigratedDatabase();
  database = await Database.open({
    connection: await connectionTo(testDatabase.url),
    logger: captureLog().logger,
    ...standardSchema,
  });
  lease = createLeaseStore(database);
  revoker = createRevokerStore(database);
});

afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

beforeEach(async () => {
  await run("DELETE FROM server");
  await run("DELETE FROM revocation");
});

function run<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
  return querySql<Row>(database, { name: `test ${text.slice(0, 50)}`, text }, values);
}

function revoke(...subjects: readonly string[]): Promise<number> {
  return revoker.transaction((transaction) => revoker.record(transaction, subjects));
}

async function waitingBackends(): Promise<number> {
  const [row] = await run<{ count: string }>(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return Number(row?.count);
}

describe("revoking", () => {
  test("numbers follow the order of commits: a second transaction gets none before the first has committed", async () => {
    const firstHasItsNumber = Promise.withResolvers<number>();
    const mayCommit = Promise.withResolvers<void>();
    const first = revoker.transaction(async (transaction) => {
      firstHasItsNumber.resolve(await revoker.record(transaction, ["key:first"]));
      await mayCommit.promise;
    });
    const firstNumber = await firstHasItsNumber.promise;

    let secondNumber: number | undefined;
    const second = revoke("key:second").then((sequence) => {
      secondNumber = sequence;
    });
    await expect.poll(waitingBackends, { timeout: 10_000 }).toBe(1);
    expect(secondNumber).toBeUndefined();

    mayCommit.resolve();
    await Promise.all([first, second]);
    expect(secondNumber).toBeGreaterThan(firstNumber);
    expect((await lease.revocationsAfter(0)).map(({ subject }) => subject)).toEqual(["key:first", "key:second"]);
  });

  test("a revocation that is rolled back leaves no row, and lets the next one through", async () => {
    const change = revoker.transaction(async (transaction) => {
      await revoker.record(transaction, ["key:a"]);
      throw new Error("the change failed");
    });
    await expect(change).rejects.toThrow("the change failed");
    await revoke("key:b");
    expect((await lease.revocationsAfter(0)).map(({ subject }) => subject)).toEqual(["key:b"]);
  });

  test("several subjects get a number each, the same one twice only one, and the last is returned", async () => {
    const before = await revoke("key:before");
    const last = await revoke("key:a", "workspace:w", "key:a");
    const revocations = await lease.revocationsAfter(before);
    expect(revocations.map(({ subject }) => subject).sort()).toEqual(["key:a", "workspace:w"]);
    expect(revocations.at(-1)?.sequence).toBe(last);
  });

  test("servers are notified when it is committed, without a payload", async () => {
    const listener = new pg.Client({ connectionString: testDatabase.url });
    const heard: (string | undefined)[] = [];
    listener.on("notification", (message) => heard.push(message.payload));
    await listener.connect();
    await listener.query(`LISTEN ${revocationChannel}`);
    await revoke("key:a");
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([""]);
    await listener.end();
  });
});

describe("a server's row", () => {
  test("starts at the newest revocation, and later acknowledges what was applied", async () => {
    const newest = await revoke("key:a");
    expect(await lease.register("one", 2000, [])).toBe(newest);
    const next = await revoke("key:b");
    expect(await revoker.serversBehind(next)).toEqual([{ id: "one", renewals: 0, leaseMs: 2000 }]);
    expect(await lease.renew("one", next)).toBe(true);
    expect(await revoker.serversBehind(next)).toEqual([]);
  });

  test("starts at zero where nothing was ever revoked", async () => {
    expect(await lease.register("one", 2000, [])).toBe(0);
    expect(await lease.revocationsAfter(0)).toEqual([]);
  });

  test("keeps its acknowledgement when an older renewal arrives late", async () => {
    const sequence = await revoke("key:a");
    await lease.register("one", 2000, []);
    await lease.renew("one", sequence);
    await lease.renew("one", 0);
    expect(await revoker.serversBehind(sequence)).toEqual([]);
  });

  test("is not made by a renewal, which says that there is none", async () => {
    expect(await lease.renew("nobody", 0)).toBe(false);
    expect(await revoker.serversBehind(1)).toEqual([]);
  });

  test("replaces the rows of the server's earlier registrations, and of no other server", async () => {
    await lease.register("one.1", 2000, []);
    await lease.register("two.1", 2000, []);
    await lease.register("one.2", 2000, ["one.1"]);
    const ids = (await revoker.serversBehind(Number.MAX_SAFE_INTEGER)).map(({ id }) => id);
    expect(ids.sort()).toEqual(["one.2", "two.1"]);
  });

  test("is refused under a name that is taken", async () => {
    await lease.register("one", 2000, []);
    await expect(lease.register("one", 2000, [])).rejects.toThrow("duplicate key");
  });

  test("is not found after PostgreSQL was restarted, or replaced", async () => {
    await lease.register("one", 2000, []);
    await run("UPDATE server SET database_started_at = database_started_at - interval '1 second'");
    expect(await lease.renew("one", 0)).toBe(false);
  });

  test("is removed when its server stops", async () => {
    await lease.register("one", 2000, []);
    await lease.register("two", 2000, []);
    await lease.remove(["one", "one, earlier"]);
    expect((await revoker.serversBehind(1)).map(({ id }) => id)).toEqual(["two"]);
  });
});

describe("removing servers that crashed", () => {
  test("keeps those that have renewed since they were read", async () => {
    await lease.register("gone", 2000, []);
    await lease.register("alive", 2000, []);
    const sequence = await revoke("key:a");
    const behind = await revoker.serversBehind(sequence);
    await lease.renew("alive", 0);
    await revoker.removeUnrenewed(behind);
    expect((await revoker.serversBehind(sequence)).map(({ id }) => id)).toEqual(["alive"]);
  });

  test("waits for a renewal that is being committed, and then keeps the row", async () => {
    await lease.register("slow", 2000, []);
    const sequence = await revoke("key:a");
    const behind = await revoker.serversBehind(sequence);
    const isRenewed = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const renewal = database.transaction(async (transaction) => {
      await createLeaseStore(transaction).renew("slow", 0);
      isRenewed.resolve();
      await mayCommit.promise;
    });
    await isRenewed.promise;
    const removal = revoker.removeUnrenewed(behind);
    await expect.poll(waitingBackends, { timeout: 10_000 }).toBe(1);
    mayCommit.resolve();
    await Promise.all([renewal, removal]);
    expect(await revoker.serversBehind(sequence)).toMatchObject([{ id: "slow", renewals: 1 }]);
  });
});

describe("sweeping", () => {
  test("removes only what every server has applied, and never the newest", async () => {
    const first = await revoke("key:a");
    await lease.register("one", 2000, []);
    await lease.register("two", 2000, []);
    const second = await revoke("key:b");
    const third = await revoke("key:c");
    await lease.renew("one", third);
    await sweepAll(revocationSweep({ database }));
    expect((await lease.revocationsAfter(0)).map(({ sequence }) => sequence)).toEqual([first, second, third]);
    await lease.renew("two", third);
    await sweepAll(revocationSweep({ database }));
    expect((await lease.revocationsAfter(0)).map(({ sequence }) => sequence)).toEqual([third]);
  });

  test("removes nothing where there is no server", async () => {
    await revoke("key:a");
    await revoke("key:b");
    await sweepAll(revocationSweep({ database }));
    expect(await lease.revocationsAfter(0)).toHaveLength(2);
  });
});
