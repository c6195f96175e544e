/** A 503 comes in a bounded time, however many statements a call consists of. */
import { createHmac } from "node:crypto";
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { callLimits, withDeadline } from "../../src/database/call-deadline.ts";
import { connectionOf } from "../../src/database/connection.ts";
import { Database } from "../../src/database/database.ts";
import { parseDatabaseUrl } from "../../src/database/database-url.ts";
import { createLogger } from "../../src/observe/log.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";
import { until } from "./load.ts";

const whatsapp = {
  WHATSAPP_TOKEN: "a token of tests",
  WHATSAPP_PHONE_NUMBER_ID: "106540352242922",
  WHATSAPP_TEMPLATE: "code",
  WHATSAPP_APP_SECRET: "c6e8b1f09a7d4e35b2a1908f7e6d5c4b",
  WHATSAPP_VERIFY_TOKEN: "a word of tests",
};

const resources = new AsyncDisposableStack();
let databaseUrl: string;
let server: ServerProcess;
let key: string;
beforeAll(async () => {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  databaseUrl = database.url;
  server = resources.use(await ServerProcess.start({ databaseUrl, environment: whatsapp }));
  key = await server.mintKey({ mode: "test" });
});
afterAll(() => resources.disposeAsync());

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  resources.defer(() => client.end());
  return client;
}

test("a call whose statements all wait for locks gets 503 within fifteen seconds, has no effect, and can be repeated", {
  timeout: 120_000,
}, async () => {
  const [first, second, third, observer] = await Promise.all([connect(), connect(), connect(), connect()]);
  const waiting = async (count: number) => {
    const { rows } = await observer.query(
      "SELECT FROM pg_locks WHERE NOT granted AND relation = 'idempotency'::regclass",
    );
    return rows.length === count;
  };
  const start = () =>
    server.rest("POST", "/verify/start", {
      key,
      headers: { "Idempotency-Key": "a call that waits" },
      body: { channel: "email", recipient: "somebody@example.com" },
    });
  await first.query("BEGIN; LOCK TABLE idempotency");
  await second.query("BEGIN; LOCK TABLE verification");
  const sentAtMs = performance.now();
  const call = start();
  await until("the claim of the idempotency key waits", 10_000, () => waiting(1));
  // It comes after the claim, and before the claim is given up.
  const relocked = third.query("BEGIN; LOCK TABLE idempotency");
  await until("the next lock waits behind it", 10_000, () => waiting(2));
  await pause(Math.max(0, sentAtMs + 9_000 - performance.now()));
  await first.query("ROLLBACK");
  const { status, body } = await call;
  const seconds = (performance.now() - sentAtMs) / 1_000;
  console.log(`a call of three statements that wait: ${status} after ${seconds.toFixed(1)} s`);
  expect({ status, code: body.error.code }).toEqual({ status: 503, code: "unavailable" });
  expect(seconds).toBeLessThan(17);

  await relocked;
  await third.query("ROLLBACK");
  await second.query("ROLLBACK");
  expect((await observer.query("SELECT FROM verification")).rows).toEqual([]);
  await until("the claim is given up", 10_000, async () => {
    const { rows } = await observer.query("SELECT FROM idempotency");
    return rows.length === 0;
  });
  expect((await start()).status).toBe(201);
});

test("whenever a call's deadline passes, its connection returns to the pool", async () => {
  const connection = await connectionOf(parseDatabaseUrl(databaseUrl, []));
  const database = await Database.open({
    connection,
    logger: createLogger(() => undefined),
    ...standardSchema,
    poolSize: 1,
  });
  resources.defer(() => database.close());
  const one = { name: "one", text: "SELECT 1 AS one" };
  let tooLate = 0;
  for (let readings = 1; readings <= 6; readings++) {
    let left = readings;
    using clock = vi.spyOn(performance, "now").mockImplementation(() => (left-- > 0 ? 0 : callLimits.beginMs + 1));
    await withDeadline(() => querySql(database, one, [])).catch((error) => {
      expect(error).toMatchObject({ code: "unavailable" });
      tooLate += 1;
    });
    clock.mockRestore();
    expect(await querySql(database, one, [])).toEqual([{ one: 1 }]);
  }
  expect(tooLate).toBeGreaterThan(1);
});

test.concurrent("the time that a client takes to send its request does not count towards the deadline", {
  timeout: 60_000,
}, async () => {
  const text = JSON.stringify({ channel: "email", recipient: "slow@example.com" });
  const answered = Promise.withResolvers<number | undefined>();
  const sending = request(`${server.url}/api/v1/verify/start`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Content-Length": text.length, "X-API-Key": key },
  });
  sending.on("response", ({ statusCode }) => answered.resolve(statusCode));
  sending.on("error", answered.reject);
  sending.write(text.slice(0, 10));
  await pause(12_000);
  sending.end(text.slice(10));
  expect(await answered.promise).toBe(201);
});

test.concurrent("the time that WhatsApp takes to send a report does not count towards the deadline", {
  timeout: 60_000,
}, async () => {
  const status = { id: "wamid.QSBtZXNzYWdlIG9mIG91cnM=", status: "read", timestamp: "1700000000" };
  const entry = [{ changes: [{ value: { statuses: [status] } }] }];
  const text = JSON.stringify({ object: "whatsapp_business_account", entry });
  const signature = `sha256=${createHmac("sha256", whatsapp.WHATSAPP_APP_SECRET).update(text).digest("hex")}`;
  const answered = Promise.withResolvers<number | undefined>();
  const sending = request(`${server.url}/webhooks/whatsapp`, {
    method: "POST",
    headers: { "Content-Length": text.length, "X-Hub-Signature-256": signature },
  });
  sending.on("response", ({ statusCode }) => answered.resolve(statusCode));
  sending.on("error", answered.reject);
  sending.write(text.slice(0, 10));
  await pause(12_000);
  sending.end(text.slice(10));
  expect(await answered.promise).toBe(200);
});
