/** A page's call under way when its key is taken away. It is held up by a lock on a table that it writes to. */
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RestAnswer, type TestApp, useTestApp } from "../support/app.ts";

const shop = "https://shop.example";
const here = useTestApp();
let there: TestApp;
let blocker: pg.Client;
beforeAll(async () => {
  there = await here.startAnother();
  blocker = new pg.Client({ connectionString: here.databaseUrl });
  await blocker.connect();
});
afterAll(async () => {
  await blocker.end();
  await there[Symbol.asyncDispose]();
});

/** Returns when a statement waits for the table. */
async function heldUp(): Promise<void> {
  const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'verification'::regclass";
  for (let look = 0; look < 1_000; look += 1) {
    if ((await blocker.query(waiting)).rowCount !== 0) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("nothing waits for the table");
}

test.each([
  ["revoked", "DELETE", "", undefined, "invalid_api_key"],
  ["rotated", "POST", "/rotate", {}, "invalid_api_key"],
  ["taken from its origin", "PATCH", "", { origins: ["https://other.example"] }, "origin_not_allowed"],
] as const)("of a key that is %s on another server, nothing happens", async (_, method, path, body, code) => {
  const { session } = await here.signUp();
  const create = async (fields: object) =>
    (await here.rest("POST", "/api-keys", { session, body: { name: "a key", ...fields } })).body;
  const server = (await create({})).key;
  const page = await create({ origins: [shop] });
  const recipient = `${method.toLowerCase()}@example.com`;
  const started = await here.rest("POST", "/verify/start", { key: server, body: { channel: "email", recipient } });
  const id = started.body.verification_id;
  await blocker.query("BEGIN");
  let call: Promise<RestAnswer>;
  try {
    await blocker.query("LOCK TABLE verification IN EXCLUSIVE MODE");
    call = here.rest("POST", "/verify/check", {
      key: page.key,
      headers: { Origin: shop },
      body: { verification_id: id, code: "1" },
    });
    await heldUp();
    const changed = await there.rest(method, `/api-keys/${page.id}${path}`, { session, ...(body && { body }) });
    expect(changed.status).toBe(200);
    expect((await call).body.error.code).toBe(code);
  } finally {
    await blocker.query("ROLLBACK");
  }
  expect((await here.rest("GET", `/verify/${id}`, { key: server })).body.attempts_left).toBe(5);
});
