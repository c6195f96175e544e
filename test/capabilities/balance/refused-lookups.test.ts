/** Only lookups that are answered are charged, counted and kept: not those whose key was revoked meanwhile. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import type { TestApp } from "../../support/app.ts";
import { untilWaitingForLocks } from "../../support/lock-waits.ts";
import { protocols } from "../../support/protocols.ts";
import { until } from "../../system/load.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { accountsOf, openWorkspace, type PricedWorkspace, query, usePricedApp } from "./balance-fixture.ts";

const price = 2;
const app = usePricedApp();
/** It revokes. */
let other: TestApp;
/** It has no prices, and asks an adapter. */
let free: TestApp;
let adapter: HttpFake;
let blocker: pg.Client;
let workspace: PricedWorkspace;
beforeAll(async () => {
  adapter = await HttpFake.open();
  other = await app.startAnother();
  free = await app.startAnother({
    prices: undefined,
    liveLookup: { url: adapter.url, secret: "a secret that the adapter shares with us" },
  });
  blocker = new pg.Client({ connectionString: app.databaseUrl });
  await blocker.connect();
  // Transactions with charges wait at their commit while the blocker holds the gate.
  await blocker.query(`
    CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(4711);
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.kind = 'charge') EXECUTE FUNCTION wait_at_commit()`);
});
beforeEach(async () => {
  workspace = await openWorkspace(app, 1_000);
  const { status } = await app.rest("PATCH", "/workspace", {
    session: workspace.session,
    body: { lookup_history: true },
  });
  expect(status).toBe(200);
});
afterEach(() => blocker.query("ROLLBACK; SELECT pg_advisory_unlock_all()"));
afterAll(async () => {
  await blocker.end();
  await free[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await adapter.close();
});

const number = "+6591234567";
const mint = async () =>
  (await app.rest("POST", "/api-keys", { session: workspace.session, body: { name: "another key" } })).body;
const revoke = () => other.rest("DELETE", `/api-keys/${workspace.keyId}`, { session: workspace.session });
const forbid = () =>
  other.rest("PATCH", `/api-keys/${workspace.keyId}`, {
    session: workspace.session,
    body: { ip_allowlist: ["192.0.2.1"] },
  });
const hold = async (rows: string) => {
  await blocker.query("BEGIN");
  await blocker.query(rows, [workspace.workspaceId]);
};

const waiting = (count: number) => untilWaitingForLocks(count, (text) => query(app.databaseUrl, text));

/** Numbers that were charged, counted and kept, when the calls before are over: those of another key are. */
async function numbersOf(keyId = workspace.keyId, server: TestApp = app) {
  const marker = await mint();
  const isOver = async () => {
    const rows = await query(app.databaseUrl, "SELECT FROM usage_day WHERE key_id = $1", [marker.id]);
    return rows.length === 1;
  };
  expect((await server.rest("GET", "/lookup?number=%2B4930901820", { key: marker.key })).status).toBe(200);
  await until("the other key's lookup is counted", 20_000, isOver);
  const sum = async (text: string) =>
    (
      await query<{ sum: number }>(app.databaseUrl, `SELECT coalesce(sum(sum), 0)::float8 AS sum FROM (${text}) AS t`, [
        keyId,
      ])
    )[0]?.sum;
  const kept = () =>
    app.rest("GET", `/lookups?page_size=100&number=${encodeURIComponent(number)}`, { session: workspace.session });
  const isKept = () => app.rest("GET", "/lookups?number=%2B4930901820", { session: workspace.session });
  await until("the other key's lookup is kept", 20_000, async () => (await isKept()).body.lookups.length > 0);
  await accountsOf(app.databaseUrl, workspace.workspaceId);
  return {
    charged: await sum(`SELECT amount / ${price} AS sum FROM ledger_entry WHERE key_id = $1 AND kind = 'charge'`),
    counted: await sum("SELECT number AS sum FROM usage_day WHERE key_id = $1"),
    kept: (await kept()).body.lookups.length,
  };
}

const numbers = (count: number) => ({ charged: count, counted: count, kept: count });

describe.each(protocols)("over $name", (protocol) => {
  const call = (rpc: Parameters<typeof protocol.call>[1], input: object, server: TestApp = app) =>
    protocol.call(server, rpc, { ...input }, { key: workspace.key });
  const lookUp = () => call("LookupNumber", { number });
  const lookUpList = () => call("BatchLookup", { numbers: [{ number }, { number, reference: "again" }] });

  test.each([
    ["revoked", revoke, "invalid_api_key"],
    ["forbidden to use from here", forbid, "ip_not_allowed"],
  ] as const)("not if the key was %s while the call waited for a reserve", async (_, change, code) => {
    await hold("SELECT FROM wallet WHERE workspace_id = $1 FOR UPDATE");
    const calls = [lookUp(), lookUp(), lookUp(), lookUpList()];
    await waiting(1);
    expect((await change()).status).toBe(200);
    await blocker.query("ROLLBACK");
    expect((await Promise.all(calls)).map((answer) => answer.code)).toEqual(calls.map(() => code));
    expect(await numbersOf()).toEqual(numbers(0));
  });

  test.each([
    ["revoked", revoke, "invalid_api_key"],
    ["forbidden to use from here", forbid, "ip_not_allowed"],
  ] as const)("not if the key was %s while the charge waited for a lock", async (_, change, code) => {
    expect((await lookUp()).code).toBe("ok");
    await hold("SELECT FROM usage_day WHERE workspace_id = $1 FOR UPDATE");
    const calls = [lookUp(), lookUpList()];
    await waiting(2);
    expect((await change()).status).toBe(200);
    await blocker.query("ROLLBACK");
    expect((await Promise.all(calls)).map((answer) => answer.code)).toEqual([code, code]);
    expect(await numbersOf()).toEqual(numbers(1));
  });

  test("a lookup whose charge is being committed is answered, and the revocation after it", async () => {
    await blocker.query("SELECT pg_advisory_lock(4711)");
    const calls = [lookUp()];
    await waiting(1);
    const revocation = revoke();
    await waiting(2);
    await blocker.query("SELECT pg_advisory_unlock_all()");
    expect((await Promise.all(calls)).map((answer) => answer.code)).toEqual(["ok"]);
    expect((await revocation).status).toBe(200);
    expect(await numbersOf()).toEqual(numbers(1));
  });

  test("a lookup whose key may do more meanwhile is charged once", async () => {
    expect((await lookUp()).code).toBe("ok");
    await hold("SELECT FROM usage_day WHERE workspace_id = $1 FOR UPDATE");
    const calls = [lookUp(), lookUpList()];
    await waiting(2);
    const change = await other.rest("PATCH", `/api-keys/${workspace.keyId}`, {
      session: workspace.session,
      body: { scopes: ["lookup", "verify"] },
    });
    expect(change.status).toBe(200);
    await blocker.query("ROLLBACK");
    expect((await Promise.all(calls)).map((answer) => answer.code)).toEqual(["ok", "ok"]);
    expect(await numbersOf()).toEqual(numbers(4));
  });

  test("as many as were answered, when a key is revoked under its calls", async () => {
    let answered = 0;
    const loop = async () => {
      for (;;) {
        const { code } = await lookUp();
        if (code !== "ok") {
          expect(code).toBe("invalid_api_key");
          return;
        }
        answered += 1;
      }
    };
    const loops = Promise.all(Array.from({ length: 12 }, loop));
    await until("some are answered", 20_000, async () => answered >= 30);
    expect((await revoke()).status).toBe(200);
    await loops;
    const { charged, counted } = await numbersOf();
    expect([charged, counted]).toEqual([answered, answered]);
  });

  test("not if the key was revoked while the network of a number was asked, without prices", async () => {
    const answer = Promise.withResolvers<void>();
    adapter.held = answer.promise;
    const asked = adapter.requests.length;
    const lookup = call("LookupNumber", { number, fields: ["network"] }, free);
    await until("the adapter is asked", 20_000, async () => adapter.requests.length > asked);
    expect((await revoke()).status).toBe(200);
    expect((await lookup).code).toBe("invalid_api_key");
    answer.resolve();
    expect(await numbersOf(workspace.keyId, free)).toEqual(numbers(0));
  });
});

describe("a stream", () => {
  const open = (requests: AsyncIterable<{ numbers: { number: string }[] }>) =>
    createClient(LookupService, createGrpcTransport({ baseUrl: app.url }))
      .streamLookup(requests, { headers: { "X-API-Key": workspace.key } })
      [Symbol.asyncIterator]();
  /** Two messages. The second one is sent when that is proceeded with. */
  function twoMessages() {
    const message = { numbers: [{ number }, { number }] };
    const { promise, resolve: proceed } = Promise.withResolvers<void>();
    const messages = (async function* () {
      yield message;
      await promise;
      yield message;
    })();
    return { messages, proceed };
  }

  test("is charged for what it answered before its key was revoked, and nothing more", async () => {
    const { messages, proceed } = twoMessages();
    const stream = open(messages);
    expect((await stream.next()).done).toBe(false);
    await hold("SELECT FROM usage_day WHERE workspace_id = $1 FOR UPDATE");
    proceed();
    const refused = expect(stream.next()).rejects.toThrow(/API key/);
    await waiting(1);
    expect((await revoke()).status).toBe(200);
    await blocker.query("ROLLBACK");
    await refused;
    expect(await numbersOf()).toEqual({ charged: 2, counted: 2, kept: 0 });
  });

  test("goes on when its key may do more meanwhile", async () => {
    const { messages, proceed } = twoMessages();
    const stream = open(messages);
    expect((await stream.next()).done).toBe(false);
    await hold("SELECT FROM usage_day WHERE workspace_id = $1 FOR UPDATE");
    proceed();
    const next = stream.next();
    await waiting(1);
    const body = { scopes: ["lookup", "verify"] };
    const change = await other.rest("PATCH", `/api-keys/${workspace.keyId}`, { session: workspace.session, body });
    expect(change.status).toBe(200);
    await blocker.query("ROLLBACK");
    expect((await next).done).toBe(false);
    expect((await stream.next()).done).toBe(true);
    expect(await numbersOf()).toEqual({ charged: 4, counted: 4, kept: 0 });
  });
});
