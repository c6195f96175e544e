/** With an Idempotency-Key, keys are created and rotated once. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const here = useTestApp();
let there: TestApp;
let client: pg.Client;
beforeAll(async () => {
  there = await here.startAnother();
  client = new pg.Client({ connectionString: here.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await there[Symbol.asyncDispose]();
});

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let owner: SignedUp;
  beforeEach(async () => {
    owner = await here.signUp();
  });
  const call = (
    server: TestApp,
    rpc: Parameters<Protocol["call"]>[1],
    input: Record<string, unknown>,
    idempotencyKey?: string,
  ) =>
    protocol.call(server, rpc, input, {
      session: owner.session,
      headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey },
    });
  const lookup = async (key: string) => (await protocol.call(there, "LookupNumber", { number: "1" }, { key })).code;

  test("creating a key again with the same Idempotency-Key returns the same key, secret included, which is stored nowhere", async () => {
    const first = await call(here, "CreateApiKey", { name: "once" }, "create-once");
    const again = await call(there, "CreateApiKey", { name: "once" }, "create-once");
    expect(again).toEqual(first);
    expect((await call(here, "ListApiKeys", {})).body.keys).toHaveLength(1);
    expect(await storedText(owner.workspaceId)).not.toContain(first.body.key.split(".")[1]);
  });

  test("a rotation that is repeated with the same Idempotency-Key happens once", async () => {
    const { body: created } = await call(here, "CreateApiKey", { name: "rotated" });
    const first = await call(here, "RotateApiKey", { id: created.id }, "rotate-once");
    const again = await call(there, "RotateApiKey", { id: created.id }, "rotate-once");
    expect(again).toEqual(first);
    expect([await lookup(created.key), await lookup(first.body.key)]).toEqual(["invalid_api_key", "ok"]);
    expect(await storedText(owner.workspaceId)).not.toContain(first.body.key.split(".")[1]);
  });
});

/** Everything that the database holds of a workspace's keys and answers, as text. */
async function storedText(workspaceId: string): Promise<string> {
  const { rows } = await client.query(
    `SELECT api_key::text AS row FROM api_key WHERE workspace_id = $1
     UNION ALL SELECT secret::text FROM api_key_secret AS secret JOIN api_key ON api_key.id = key_id WHERE workspace_id = $1
     UNION ALL SELECT slot::text || encode(answer_sealed, 'escape') FROM idempotency AS slot WHERE workspace_id = $1`,
    [workspaceId],
  );
  return JSON.stringify(rows);
}
