/** What the overview says of requests: those with keys, by how they were answered, of all servers together. */
import { describe, expect, test, vi } from "vitest";
import { maxHeldRequestCounts } from "../../src/capabilities/reports/reports.policy.ts";
import { RequestCounter } from "../../src/capabilities/reports/request-counter.ts";
import { Database } from "../../src/database/database.ts";
import { AppError } from "../../src/errors.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { createMigratedDatabase, startTestApp, type TestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { protocols } from "../support/protocols.ts";
import { standardSchema } from "../support/schema.ts";

const requestsOf = async (app: TestApp, session: string, mode: string) =>
  (await app.rest("GET", "/reports/overview", { session, headers: { "Byond-Mode": mode } })).body;

test("servers count their answers by code, over REST and gRPC, and add them within seconds and when they stop", async () => {
  await using app = await startTestApp();
  const { session } = await app.signUp();
  const mint = async (mode: string, more: object = {}) =>
    (await app.rest("POST", "/api-keys", { session, body: { name: mode, mode, ...more } })).body.key;
  const [live, sandbox, narrow] = [await mint("live"), await mint("test"), await mint("test", { scopes: ["events"] })];
  {
    await using other = await app.startAnother();
    for (const protocol of protocols) {
      for (const server of [app, other]) {
        const call = (key: string, number: string) => protocol.call(server, "LookupNumber", { number }, { key });
        expect((await call(sandbox, "+6591234567")).code).toBe("ok");
        expect((await call(sandbox, "")).code).toBe("validation_error");
        expect((await call(narrow, "+6591234567")).code).toBe("insufficient_scope");
        expect((await call(live, "+6591234567")).code).toBe("ok");
        // Neither is of a workspace.
        expect((await call("pk_test_none.none", "+6591234567")).code).toBe("invalid_api_key");
      }
    }
    await other.rest("GET", "/nothing", { key: sandbox });
    await other.rest("GET", "/auth/me", { session });
  }
  const expected = {
    total: 12,
    failed: 8,
    errors: [
      { code: "insufficient_scope", requests: 4 },
      { code: "validation_error", requests: 4 },
    ],
  };
  await vi.waitFor(async () => expect((await requestsOf(app, session, "test")).requests).toEqual(expected), {
    timeout: 15_000,
    interval: 200,
  });
  const { buckets, requests } = await requestsOf(app, session, "live");
  expect(requests).toEqual({ total: 4, failed: 0, errors: [] });
  const sum = (of: "requests" | "failed_requests") =>
    buckets.reduce((total: number, bucket: Record<string, number>) => total + (bucket[of] ?? 0), 0);
  expect([sum("requests"), sum("failed_requests")]).toEqual([4, 0]);
});

test("requests that the limit refused are counted as such, and the overview says what is used of the limit", async () => {
  await using app = await startTestApp({ defaultTier: "starter" });
  const { session } = await app.signUp();
  const body = { name: "limited", mode: "test", requests_per_minute: 3 };
  const { key } = (await app.rest("POST", "/api-keys", { session, body })).body;
  const statuses: number[] = [];
  for (let call = 0; call < 5; call++) {
    statuses.push((await app.rest("GET", "/auth/me", { key })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  const { request_limit: limit } = await requestsOf(app, session, "test");
  expect(limit).toEqual({ requests_per_minute: 1_000, used: expect.any(Number) });
  // Making the key, three calls and this one; the server may hold ten for calls to come.
  expect(limit.used).toBeGreaterThanOrEqual(5);
  expect(limit.used).toBeLessThanOrEqual(15);
  await vi.waitFor(
    async () =>
      expect((await requestsOf(app, session, "test")).requests).toEqual({
        total: 5,
        failed: 2,
        errors: [{ code: "rate_limited", requests: 2 }],
      }),
    { timeout: 15_000, interval: 200 },
  );
  await app.time.advance({ seconds: 75 });
  expect((await requestsOf(app, session, "test")).request_limit.used).toBeLessThanOrEqual(15);
});

describe("a counter", () => {
  /** A counter whose database can be away, or lose the answer to a commit for good. */
  async function open() {
    const created = await createMigratedDatabase();
    // Those that are closed are not counted.
    await rowsOf(
      { databaseUrl: created.url },
      "INSERT INTO workspace (id, name, created_at) SELECT 'ws_' || i, '', now() FROM generate_series(0, 30000) AS i",
    );
    const log = captureLog();
    const connection = await connectionTo(created.url);
    const database = await Database.open({ connection, logger: log.logger, ...standardSchema });
    let state: "there" | "away" | "silent" = "there";
    const counter = new RequestCounter({
      logger: log.logger,
      database: {
        async transaction(work) {
          if (state === "away") {
            throw new AppError("unavailable", "The service is not available right now.");
          }
          const result = await database.transaction(work);
          if (state === "silent") {
            throw new AppError("outcome_unknown", "Nobody can tell what became of the call.");
          }
          return result;
        },
      },
    });
    return {
      counter,
      log,
      become(next: typeof state) {
        state = next;
      },
      rows: () =>
        rowsOf(
          { databaseUrl: created.url },
          "SELECT workspace_id, mode, code, requests FROM request_hour ORDER BY 1, 2, 3",
        ),
      async [Symbol.asyncDispose]() {
        await counter.stop();
        await database.close();
        await created.drop();
      },
    };
  }

  test("adds to what other servers and it have added, by workspace, mode and code", async () => {
    await using one = await open();
    for (let request = 0; request < 3; request++) {
      one.counter.note("ws_1", "live", undefined);
      one.counter.note("ws_1", "test", "not_found");
      await one.counter.flush();
    }
    one.counter.note("ws_2", "live", "internal");
    await one.counter.flush();
    expect(await one.rows()).toEqual([
      { workspace_id: "ws_1", mode: "live", code: "ok", requests: "3" },
      { workspace_id: "ws_1", mode: "test", code: "not_found", requests: "3" },
      { workspace_id: "ws_2", mode: "live", code: "internal", requests: "1" },
    ]);
  });

  test("keeps what an absent database did not take, in bounded memory, and says what it dropped", async () => {
    await using one = await open();
    one.become("away");
    const beyond = 500;
    for (let workspace = 0; workspace < maxHeldRequestCounts + beyond; workspace++) {
      one.counter.note(`ws_${workspace}`, "live", undefined);
    }
    one.counter.note("ws_7", "live", undefined);
    await one.counter.flush();
    one.counter.note("ws_7", "live", undefined);
    await one.counter.flush();
    expect(one.log.lines).toEqual([expect.stringMatching(/"event":"request_counts_dropped","requests":500\b/)]);
    one.become("there");
    await one.counter.flush();
    const rows = await one.rows();
    expect(rows).toHaveLength(maxHeldRequestCounts);
    expect(rows.find(({ workspace_id: id }) => id === "ws_7")?.requests).toBe("3");
  });

  test("adds nothing twice where nobody can tell whether it was added", async () => {
    await using one = await open();
    one.become("silent");
    one.counter.note("ws_1", "live", undefined);
    await one.counter.flush();
    one.become("there");
    await one.counter.flush();
    expect((await one.rows()).map(({ requests }) => requests)).toEqual(["1"]);
    expect(one.log.lines).toEqual([expect.stringContaining('"event":"request_counts_dropped","requests":1')]);
  });

  test("notes a request in less than 0.3 microseconds", async () => {
    await using one = await open();
    const workspaces = Array.from({ length: 1_000 }, (_, index) => `ws_${index}`);
    const codes = [undefined, "validation_error", "rate_limited"];
    let fastestUs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round++) {
      const { user } = process.cpuUsage();
      for (let request = 0; request < 100_000; request++) {
        one.counter.note(workspaces[(request * 7) % 1_000] ?? "", "live", codes[request % 3]);
      }
      fastestUs = Math.min(fastestUs, process.cpuUsage().user - user);
    }
    console.log(`noting a request takes ${(fastestUs / 100_000).toFixed(3)} µs`);
    expect(fastestUs / 100_000).toBeLessThan(0.3);
  });
});
