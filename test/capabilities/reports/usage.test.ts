/** What a workspace used: each message that was sent and each number that was looked up, once. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { type SignedUp, startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Credentials, type Protocol, protocols } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { openWorkspace, pricedConfig, query } from "../balance/balance-fixture.ts";
import { HttpFake } from "../channels/http-fake.ts";

const gateway = await HttpFake.open();
const urls = { SMS_URL: gateway.url, PROVIDER_SECRET: "x".repeat(32) };
const delivery = parseConfig(urls).delivery;
const app = useTestApp({ delivery });
let priced: TestApp;
beforeAll(async () => {
  priced = await startTestApp({ ...pricedConfig, delivery });
});
afterAll(async () => {
  await priced[Symbol.asyncDispose]();
  await gateway.close();
});

const [rest] = protocols as readonly [Protocol, Protocol];
const nothing = { day: null, channel: null, country: null, api_key_id: null, messages: 0, lookups: 0 };
let recipients = 0;
const newNumber = () => `+4915123456${String(++recipients).padStart(3, "0")}`;

async function newKey(account: Pick<SignedUp, "session">, more: object = {}, on: TestApp = app) {
  const { session } = account;
  const { body } = await on.rest("POST", "/api-keys", { session, body: { name: "usage", ...more } });
  return { key: String(body.key), id: String(body.id) };
}

async function groups(credentials: Credentials, input: object = {}, on: TestApp = app, protocol = rest) {
  const { code, body } = await protocol.call(on, "GetUsage", { ...input }, credentials);
  expect(code).toBe("ok");
  return body.groups;
}

/** A message is counted a moment after its provider took it, with its attempt. */
async function until(expected: readonly object[], credentials: Credentials, input: object = {}, on: TestApp = app) {
  await vi.waitFor(async () => expect(await groups(credentials, input, on)).toEqual(expected), 20_000);
}

describe.each(protocols)("over $name", (protocol) => {
  const start = (key: string, recipient: string, more: object = {}, on: TestApp = app) =>
    protocol.call(on, "StartVerification", { channel: "sms", recipient, ...more }, { key });
  const lookUp = (key: string, number: string, on: TestApp = app) =>
    protocol.call(on, "LookupNumber", { number }, { key });

  test("messages and lookups are grouped by what the request names", async () => {
    const account = await app.signUp();
    await verifyEmailOf(app.databaseUrl, account.workspaceId);
    const one = await newKey(account);
    const other = await newKey(account);
    const { session } = account;
    const { body } = await start(one.key, newNumber());
    await start(one.key, `mail-${protocol.name}-${account.userId}@example.com`.toLowerCase(), { channel: "email" });
    await until([{ ...nothing, messages: 2 }], { session });
    app.time.advance({ seconds: 60 });
    const { verification_id } = body;
    expect((await protocol.call(app, "ResendCode", { verification_id }, { key: other.key })).code).toBe("ok");
    await lookUp(one.key, "+6591234567");
    await lookUp(other.key, "+6591234568");
    await lookUp(other.key, "no number");
    const batch = { numbers: [{ number: "+6591234567" }, { number: "+33612345678" }, { number: "" }] };
    await protocol.call(app, "BatchLookup", batch, { key: other.key });
    await until([{ ...nothing, messages: 3, lookups: 5 }], { session });
    const by = (...fields: readonly string[]) => groups({ session }, { group_by: fields }, app, protocol);
    expect(await by("channel")).toEqual([
      { ...nothing, lookups: 5 },
      { ...nothing, channel: "email", messages: 1 },
      { ...nothing, channel: "sms", messages: 2 },
    ]);
    expect(await by("country")).toEqual([
      { ...nothing, messages: 1, lookups: 1 },
      { ...nothing, country: "DE", messages: 2 },
      { ...nothing, country: "FR", lookups: 1 },
      { ...nothing, country: "SG", lookups: 3 },
    ]);
    const day = app.time.now().toISOString().slice(0, 10);
    const byKey = await by("api_key", "day");
    expect(byKey).toHaveLength(2);
    expect(byKey).toEqual(
      expect.arrayContaining([
        { ...nothing, day, api_key_id: one.id, messages: 3, lookups: 1 },
        { ...nothing, day, api_key_id: other.id, messages: 0, lookups: 4 },
      ]),
    );
  });

  test("modes and workspaces share nothing, a session names its mode, and keys need the scope", async () => {
    const account = await app.signUp();
    const { key } = await newKey(account, { mode: "test" });
    await lookUp(key, "+6591234567");
    const count = async (credentials: Credentials) => (await groups(credentials, {}, app, protocol)).length;
    const { session } = account;
    expect(await count({ key })).toBe(1);
    expect(await count({ session })).toBe(0);
    expect(await count({ session, headers: { "Byond-Mode": "test" } })).toBe(1);
    expect(await count({ key: (await newKey(account)).key })).toBe(0);
    expect(await count({ key: (await newKey(await app.signUp(), { mode: "test" })).key })).toBe(0);
    expect(await count({ key: (await newKey(account, { mode: "test", scopes: ["reports"] })).key })).toBe(1);
    const narrow = await newKey(account, { scopes: ["verify"] });
    expect((await protocol.call(app, "GetUsage", {}, { key: narrow.key })).code).toBe("insufficient_scope");
  });

  test("a period is 30 days by default, and what none can be is refused, by field", async () => {
    const { session } = await app.signUp();
    const ask = (input: object) => protocol.call(app, "GetUsage", { ...input }, { session });
    const { body } = await ask({});
    expect(body.until).toBe(app.time.now().toISOString().slice(0, 10));
    expect(Date.parse(body.until) - Date.parse(body.from)).toBe(29 * 86_400_000);
    expect((await ask({ until: "2026-03-01" })).body).toEqual({ from: "2026-01-31", until: "2026-03-01", groups: [] });
    const fieldsOf = async (input: object) => (await ask(input)).body.fields;
    expect(await fieldsOf({ from: "2026-06-31" })).toEqual({ from: "must be a date such as 2026-05-31" });
    expect(await fieldsOf({ from: "today" })).toEqual({ from: "must be a date such as 2026-05-31" });
    expect(await fieldsOf({ from: "2026-06-02", until: "2026-06-01" })).toEqual({
      from: "must not be after until, which is 2026-06-01",
    });
    expect(await fieldsOf({ from: "2025-06-01", until: "2026-06-02" })).toEqual({
      from: "must be less than 366 days before until",
    });
  });

  test("with prices, lookups are counted with their charge, and messages that were refused are not counted", async () => {
    const { session, key, workspaceId } = await openWorkspace(priced, 9);
    expect((await start(key, newNumber(), {}, priced)).code).toBe("ok");
    await until([{ ...nothing, messages: 1 }], { session }, {}, priced);
    expect((await lookUp(key, "+6591234567", priced)).code).toBe("ok");
    const stored = "SELECT number::integer FROM usage_day WHERE workspace_id = $1 AND channel = ''";
    // Nothing has to be read first: the statement of the charge has written it.
    expect(await query(priced.databaseUrl, stored, [workspaceId])).toEqual([{ number: 1 }]);
    expect((await lookUp(key, "+6591234567", priced)).code).toBe("insufficient_balance");
    expect((await start(key, newNumber(), {}, priced)).code).toBe("insufficient_balance");
    expect(await groups({ session }, {}, priced, protocol)).toEqual([{ ...nothing, messages: 1, lookups: 1 }]);
  });
});
