/** Calls under way when their credential is taken away. They are held up by a lock on a table that they write to. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Answer, type Protocol, protocols } from "../../support/protocols.ts";

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

type Table = "throttle" | "api_key";

async function hold(table: Table): Promise<void> {
  await blocker.query("BEGIN");
  await blocker.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
}

async function release(): Promise<void> {
  await blocker.query("ROLLBACK");
}

/** Returns when a statement waits for the table. */
async function heldUp(table: Table): Promise<void> {
  const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass";
  for (let look = 0; look < 1_000; look += 1) {
    if ((await blocker.query(waiting, [table])).rowCount !== 0) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("nothing waits for the table");
}

async function isSettled(answer: Promise<Answer>): Promise<boolean> {
  const pending = Symbol("pending");
  // Long enough for what was let in once more to be asked of the database.
  const soon = new Promise((resolve) => setTimeout(resolve, 100, pending));
  return (await Promise.race([answer, soon])) !== pending;
}

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let owner: SignedUp;
  let id: string;
  let key: string;
  let recipients = 0;
  const manage = (rpc: Parameters<Protocol["call"]>[1], input: Record<string, unknown> = {}) =>
    protocol.call(there, rpc, input, { session: owner.session });
  const start = (scopedKey = key) => {
    recipients += 1;
    const recipient = `${protocol.name}-${recipients}@example.com`;
    return protocol.call(here, "StartVerification", { channel: "email", recipient }, { key: scopedKey });
  };

  beforeEach(async () => {
    owner = await here.signUp();
    ({ id, key } = (await manage("CreateApiKey", { name: "a key" })).body);
  });
  afterEach(release);

  test("a call in flight on the other server ends with 401 when its key is revoked", async () => {
    await hold("throttle");
    const call = start();
    await heldUp("throttle");
    expect((await manage("RevokeApiKey", { id })).code).toBe("ok");
    expect(await call).toMatchObject({
      code: "invalid_api_key",
      body: { message: "The provided API key is invalid or revoked." },
    });
  });

  test("a call with a rotated secret ends; within a grace it goes on", async () => {
    await hold("throttle");
    const ended = start();
    await heldUp("throttle");
    await manage("RotateApiKey", { id });
    expect((await ended).code).toBe("invalid_api_key");
    await release();

    const { body } = await manage("RotateApiKey", { id });
    await hold("throttle");
    const goesOn = start(body.key);
    await heldUp("throttle");
    await manage("RotateApiKey", { id, grace_seconds: 60 });
    expect(await isSettled(goesOn)).toBe(false);
    await release();
    expect((await goesOn).code).toBe("ok");
  });

  test("a call whose key is renamed goes on; one whose scope or address is taken away ends with 403", async () => {
    await hold("throttle");
    const renamed = start();
    await heldUp("throttle");
    await manage("UpdateApiKey", { id, name: "another name" });
    expect(await isSettled(renamed)).toBe(false);
    await manage("UpdateApiKey", { id, scopes: ["lookup"] });
    expect(await renamed).toMatchObject({ code: "insufficient_scope", body: { required_scope: "verify" } });
    await release();

    await manage("UpdateApiKey", { id, scopes: ["*"] });
    await hold("throttle");
    const elsewhere = start();
    await heldUp("throttle");
    await manage("UpdateApiKey", { id, ip_allowlist: ["192.0.2.1"] });
    expect((await elsewhere).code).toBe("ip_not_allowed");
  });

  test("signing out everywhere ends the calls of the account's sessions, except itself", async () => {
    await hold("api_key");
    const { session } = owner;
    const held = protocol.call(here, "CreateApiKey", { name: "too late" }, { session });
    await heldUp("api_key");
    expect((await protocol.call(here, "LogoutAll", {}, { session })).code).toBe("ok");
    expect(await held).toMatchObject({
      code: "invalid_api_key",
      body: { message: "The provided access token is invalid or expired." },
    });
  });
});
