import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Quota } from "../../src/quota/quota.ts";
import { databaseQuotaStore, type QuotaReservation } from "../../src/quota/quota-store.ts";
import { openRpcDatabase, type RpcDatabase } from "../rpc/rpc-database.ts";
import { querySql } from "../support/sql.ts";
import { ModelRows, mostInAMinute, randomFrom } from "./quota-simulation.ts";

let db: RpcDatabase;
beforeAll(async () => {
  db = await openRpcDatabase();
});
afterAll(() => db.close());

const startMs = 1_795_000_000_000;
let workspaces = 0;

function reservationOf(change: Partial<QuotaReservation> & { readonly limit?: number } = {}): QuotaReservation {
  const subject = { workspaceId: `ws_${workspaces}`, key: "workspace", limitPerMinute: change.limit ?? 1_000 };
  return { subject, needed: 1, spare: 0, lifeMs: 0, leftover: undefined, ...change };
}

describe("one reservation", () => {
  test("answers what the model answers, for 3,000 random reservations over steps of the clock both ways", async () => {
    const store = databaseQuotaStore(db.database);
    const random = randomFrom(7);
    for (let run = 0; run < 30; run += 1) {
      workspaces += 1;
      const model = new ModelRows();
      const limit = 1 + Math.floor(random() * 200);
      let nowMs = startMs + Math.floor(random() * 1e6);
      let leftover: QuotaReservation["leftover"];
      for (let index = 0; index < 100; index += 1) {
        nowMs += step(random);
        await db.setNowMs(nowMs);
        const request = reservationOf({
          limit,
          needed: 1 + Math.floor(random() * 10),
          spare: Math.floor(random() * 60),
          lifeMs: Math.floor(random() * 9_001),
          leftover: random() < 0.5 ? leftover : undefined,
        });
        const grant = await store.reserve(request);
        expect(grant, `run ${run}, reservation ${index}`).toEqual(model.reserve(request, nowMs));
        leftover = { tokens: Math.floor(random() * (grant.tokens + 1)), chargedSecond: grant.chargedSecond };
      }
    }
  });

  test("reads the clock once it holds the row's lock, not before", async () => {
    workspaces += 1;
    const store = databaseQuotaStore(db.database);
    await db.setNowMs(startMs);
    await store.reserve(reservationOf());
    let waiting: Promise<{ takenAtMs: number }> | undefined;
    await db.database.transaction(async (transaction) => {
      await databaseQuotaStore(transaction).reserve(reservationOf());
      waiting = store.reserve(reservationOf());
      await until(async () => (await waitingForLocks()) === 1);
      await db.setNowMs(startMs + 30_000);
    });
    expect(await waiting).toMatchObject({ takenAtMs: startMs + 30_000 });
  });

  test("a hundred at once on a new row get exactly the limit", async () => {
    workspaces += 1;
    const store = databaseQuotaStore(db.database);
    await db.setNowMs(startMs);
    const grants = await Promise.all(
      Array.from({ length: 100 }, () => store.reserve(reservationOf({ limit: 37, needed: 2 }))),
    );
    expect(grants.reduce((sum, grant) => sum + grant.tokens, 0)).toBe(37);
  });

  test("a subject's row stays small", async () => {
    workspaces += 1;
    const store = databaseQuotaStore(db.database);
    await db.setNowMs(startMs);
    await store.reserve(reservationOf());
    const [row] = await querySql<{ size: number }>(
      db.database,
      { name: "quota_row_size", text: "SELECT pg_column_size(quota.*) AS size FROM quota WHERE workspace_id = $1" },
      [`ws_${workspaces}`],
    );
    expect(row?.size).toBeLessThan(450);
  });
});

describe("several servers on one PostgreSQL, in real time", () => {
  test("a load above the limit gets the limit and no more", async () => {
    const own = await openRpcDatabase();
    await querySql(
      own.database,
      {
        name: "real_clock",
        text: `CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
               AS 'SELECT clock_timestamp()'`,
      },
      [],
    );
    const quotas = [1, 2, 3].map(() => new Quota(databaseQuotaStore(own.database), systemClock));
    const subject = { workspaceId: "ws_1", key: "workspace", limitPerMinute: 1_000 };
    const moments: number[] = [];
    const endMs = performance.now() + 2_500;
    const send = async (quota: Quota) => {
      while (performance.now() < endMs) {
        const { result } = await quota.admit(subject);
        if (result.admitted) {
          moments.push(performance.now());
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all(quotas.flatMap((quota) => Array.from({ length: 5 }, () => send(quota))));
    await own.close();
    expect(moments.length).toBeLessThanOrEqual(1_000);
    expect(moments.length).toBeGreaterThanOrEqual(990);
    expect(mostInAMinute(moments)).toBe(moments.length);
  });
});

/** Mostly within a second, sometimes a gap, sometimes a clock that was set. */
function step(random: () => number): number {
  const kind = random();
  if (kind < 0.8) {
    return Math.floor(random() * 1_500);
  }
  if (kind < 0.92) {
    return Math.floor(random() * 80_000);
  }
  return Math.floor((random() - 0.7) * 200_000);
}

async function waitingForLocks(): Promise<number> {
  const text = `
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  const [row] = await querySql<{ count: number }>(db.database, { name: "waiting_for_locks", text }, []);
  return row?.count ?? 0;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    if (await condition()) {
      return;
    }
  }
  throw new Error("it never happened");
}
