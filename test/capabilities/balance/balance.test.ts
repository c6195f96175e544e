/** What messages cost is charged to the workspace's balance before they are sent, and comes back for those that never were. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { password, type TestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { SmtpSink, smtpError } from "../channels/smtp-sink.ts";
import {
  accountsOf,
  openWorkspace,
  type PricedWorkspace,
  pricedConfig,
  query,
  usePricedApp,
} from "./balance-fixture.ts";

const sink = await SmtpSink.open();
sink.behaviour.onRecipient = (address) => {
  if (/^refused/.test(address)) {
    throw smtpError(550, "5.7.1 your server is on a list");
  }
};
const delivery = { ...parseConfig({}).delivery, smtp: { url: sink.url, from: "no-reply@acme.example" } };
const app = usePricedApp({ delivery });
let free: TestApp;
/** It sends text messages and calls, and WhatsApp messages to its inbox. */
let withPhones: TestApp;
const gateway = await HttpFake.open();
let recipients = 0;
const newMail = (name = "ada") => `${name}-${++recipients}@example.com`;
beforeAll(async () => {
  free = await app.startAnother({ ...pricedConfig, delivery, prices: undefined });
  const urls = { SMS_URL: gateway.url, VOICE_URL: gateway.url, PROVIDER_SECRET: "x".repeat(32) };
  withPhones = await app.startAnother({ ...pricedConfig, delivery: parseConfig(urls).delivery });
});
afterAll(async () => {
  await withPhones[Symbol.asyncDispose]();
  await free[Symbol.asyncDispose]();
  await gateway.close();
  await sink.close();
});

describe.each(protocols)("over $name", (protocol) => {
  let workspace: PricedWorkspace;
  const open = async (cents: number) => {
    workspace = await openWorkspace(app, cents);
  };
  const call = (rpc: Parameters<typeof protocol.call>[1], input: object = {}, headers = {}) =>
    protocol.call(app, rpc, { ...input }, { key: workspace.key, headers });
  const manage = (rpc: Parameters<typeof protocol.call>[1], input: object = {}) =>
    protocol.call(app, rpc, { ...input }, { session: workspace.session });
  const start = (recipient = newMail(), more: object = {}) =>
    call("StartVerification", { channel: "email", recipient, ...more });
  const balance = async () => (await manage("GetBalance")).body.amount;
  const entries = async (): Promise<readonly { kind: string; amount: string; [name: string]: unknown }[]> =>
    (await manage("ListBalanceEntries", { page_size: 100 })).body.entries;
  const until = (expected: string) =>
    vi.waitFor(async () => expect(await balance()).toBe(expected), { timeout: 20_000 });
  beforeEach(() => app.time.advance({ seconds: 60 }));

  test("a start is charged, and what the balance does not cover is refused before anything is sent", async () => {
    await open(2);
    const first = await start();
    expect(first.code).toBe("ok");
    expect(await balance()).toBe("0.01");
    expect((await start()).code).toBe("ok");
    const recipient = newMail();
    const refused = await start(recipient);
    expect(refused).toMatchObject({
      code: "insufficient_balance",
      body: { message: "This costs 0.01 EUR, and 0.00 EUR are left." },
    });
    expect(await balance()).toBe("0.00");
    expect(sink.mails.some(({ to }) => to.includes(recipient))).toBe(false);
    expect((await manage("ListVerifications")).body.verifications).toHaveLength(2);
    const [newest, oldest, topUp] = await entries();
    expect(newest).toMatchObject({ kind: "charge", amount: "-0.01", item: "email", api_key_id: workspace.keyId });
    expect(oldest).toMatchObject({ verification_id: first.body.verification_id });
    expect(topUp).toMatchObject({
      kind: "top_up",
      amount: "0.02",
      reference: "first payment",
      item: null,
      api_key_id: null,
    });
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("the price is that of the channel and of the number's country", async () => {
    await open(100);
    const prices: [object, string][] = [
      [{ channel: "sms", recipient: "+4915112345678" }, "0.93"],
      [{ channel: "sms", recipient: "+33612345678" }, "0.84"],
      [{ channel: "voice", recipient: "+33612345679" }, "0.64"],
      [{ channel: "whatsapp", recipient: "+33612345680" }, "0.64"],
    ];
    for (const [input, left] of prices) {
      expect((await protocol.call(withPhones, "StartVerification", { ...input }, { key: workspace.key })).code).toBe(
        "ok",
      );
      expect(await balance()).toBe(left);
    }
    expect((await entries()).map(({ item }) => item)).toEqual(["voice/FR", "sms/FR", "sms/DE", null]);
  });

  test("a resend is charged, and so is a start with an Idempotency-Key, once", async () => {
    await open(10);
    const { body } = await start();
    expect((await call("ResendCode", { verification_id: body.verification_id })).code).toBe("ok");
    expect(await balance()).toBe("0.08");
    const recipient = newMail();
    const headers = { "idempotency-key": `one-${protocol.name}` };
    const input = { channel: "email", recipient };
    const both = [await call("StartVerification", input, headers), await call("StartVerification", input, headers)];
    expect(both.map(({ code }) => code)).toEqual(["ok", "ok"]);
    expect(both[0]?.body).toEqual(both[1]?.body);
    expect(await balance()).toBe("0.07");
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("thirty starts with an Idempotency-Key, for which a reserve has to be taken first, do not wait for each other", async () => {
    await open(25);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        call(
          "StartVerification",
          { channel: "email", recipient: newMail() },
          { "idempotency-key": `${protocol.name}-${index}` },
        ),
      ),
    );
    const codes = answers.map(({ code }) => code);
    expect(codes.filter((code) => code === "ok")).toHaveLength(25);
    expect(codes.filter((code) => code === "insufficient_balance")).toHaveLength(5);
    expect(await balance()).toBe("0.00");
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("a start that is refused for something else costs nothing", async () => {
    await open(10);
    const recipient = newMail();
    const codes: string[] = [];
    for (let starts = 0; starts < 8; starts += 1) {
      codes.push((await start(recipient)).code);
    }
    const sent = codes.filter((code) => code === "ok").length;
    expect(codes).toContain("rate_limited");
    expect(await balance()).toBe(`0.${String(10 - sent).padStart(2, "0")}`);
  });

  test("the price comes back when the provider refuses the message for good", async () => {
    await open(5);
    const { body } = await start(newMail("refused"));
    await until("0.05");
    expect(await entries()).toMatchObject([
      { kind: "refund", amount: "0.01", verification_id: body.verification_id, api_key_id: workspace.keyId },
      { kind: "charge", amount: "-0.01" },
      { kind: "top_up" },
    ]);
    for (let starts = 0; starts < 5; starts += 1) {
      expect((await start()).code).toBe("ok");
    }
    expect((await start()).code).toBe("insufficient_balance");
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("parallel starts spend the balance to the last cent, and no more", async () => {
    await open(40);
    const codes = await Promise.all(Array.from({ length: 60 }, async () => (await start()).code));
    expect(codes.filter((code) => code === "ok")).toHaveLength(40);
    expect(codes.filter((code) => code === "insufficient_balance")).toHaveLength(20);
    expect(await balance()).toBe("0.00");
    expect((await accountsOf(app.databaseUrl, workspace.workspaceId)).spent).toBe(40);
  });

  test("the sandbox costs nothing", async () => {
    await open(0);
    const { body } = await app.rest("POST", "/api-keys", {
      session: workspace.session,
      body: { name: "sandbox", mode: "test" },
    });
    const sandbox = { key: body.key };
    expect(
      (await protocol.call(app, "StartVerification", { channel: "email", recipient: newMail() }, sandbox)).code,
    ).toBe("ok");
    expect(await balance()).toBe("0.00");
    expect(await entries()).toEqual([]);
  });

  test("a lookup costs its price for each number that was answered", async () => {
    await open(9);
    expect((await call("LookupNumber", { number: "+6591234567" })).body).toMatchObject({ valid: true });
    expect((await entries())[0]).toMatchObject({
      kind: "charge",
      amount: "-0.02",
      item: "lookup",
      verification_id: null,
    });
    const numbers = [{ number: "+6591234567" }, { number: "nobody" }];
    const before = Number(await balance());
    expect((await call("BatchLookup", { numbers })).code).toBe("ok");
    expect(Number(await balance())).toBeCloseTo(before - 0.04, 5);
    expect((await call("BatchLookup", { numbers: [...numbers, ...numbers] })).code).toBe("insufficient_balance");
    expect(Number(await balance())).toBeCloseTo(before - 0.04, 5);
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("HEAD and 304 are answers of a lookup, and cost what it costs", async () => {
    await open(20);
    const { key } = workspace;
    const path = "/lookup?number=%2B6591234567";
    const ask = (method: string, headers: Readonly<Record<string, string>> = {}) =>
      fetch(`${app.url}/api/v1${path}`, { method, headers: { "X-API-Key": key, ...headers } });
    const first = await ask("GET");
    const etag = first.headers.get("etag") ?? "";
    expect([first.status, await balance()]).toEqual([200, "0.18"]);
    expect([(await ask("HEAD")).status, await balance()]).toEqual([200, "0.16"]);
    expect([(await ask("GET", { "If-None-Match": etag })).status, await balance()]).toEqual([304, "0.14"]);
    expect(
      await query<{ number: string }>(app.databaseUrl, "SELECT number FROM usage_day WHERE workspace_id = $1", [
        workspace.workspaceId,
      ]),
    ).toEqual([{ number: "3" }]);
  });

  test("a correction leaves servers what they have set aside: it is spent, and no more than that", async () => {
    await open(100);
    expect((await start()).code).toBe("ok");
    const { body } = await manage("GetBalance");
    const reserved = Math.round(Number(body.reserved) * 100);
    expect(reserved).toBeGreaterThan(0);
    await query(app.databaseUrl, "SELECT balance_top_up($1, 'taken back', -100)", [workspace.workspaceId]);
    for (let starts = 0; starts < reserved; starts += 1) {
      expect((await start()).code).toBe("ok");
    }
    expect((await start()).code).toBe("insufficient_balance");
    expect(await balance()).toBe((-(1 + reserved) / 100).toFixed(2));
  });

  test("entries are listed in pages, newest first, and their sum is the balance", async () => {
    await open(50);
    for (let starts = 0; starts < 7; starts += 1) {
      await start();
    }
    const listed: { amount: string; reference: string }[] = [];
    let token: string | undefined;
    do {
      const { body } = await manage("ListBalanceEntries", {
        page_size: 3,
        ...(token === undefined ? {} : { page_token: token }),
      });
      expect(body.currency).toBe("EUR");
      listed.push(...body.entries);
      token = body.next_page_token ?? undefined;
    } while (token !== undefined);
    expect(listed).toHaveLength(8);
    expect(new Set(listed.map(({ reference }) => reference)).size).toBe(8);
    expect(listed.reduce((sum, { amount }) => sum + Math.round(Number(amount) * 100), 0)).toBe(43);
    expect(await balance()).toBe("0.43");
    expect((await manage("ListBalanceEntries", { page_token: "bm8" })).body.fields).toEqual({
      page_token: "must be the next_page_token of the page before",
    });
  });

  test("keys read the balance only with the scope, and the caps only a session changes", async () => {
    await open(5);
    expect((await call("GetBalance")).code).toBe("insufficient_scope");
    const { body } = await app.rest("POST", "/api-keys", {
      session: workspace.session,
      body: { name: "accounting", scopes: ["balance"] },
    });
    const key = { key: body.key };
    expect((await protocol.call(app, "GetBalance", {}, key)).body).toEqual({
      amount: "0.05",
      reserved: "0.00",
      currency: "EUR",
    });
    expect((await protocol.call(app, "ListBalanceEntries", {}, key)).code).toBe("ok");
    expect((await protocol.call(app, "ListSpendCaps", {}, key)).body).toEqual({ spend_caps: [], currency: "EUR" });
    const cap = { owner: "workspace", amount: "1", period: "day" };
    expect((await protocol.call(app, "SetSpendCap", cap, key)).code).toBe("invalid_api_key");
  });

  test("a cap of the workspace refuses what is more, until its period is over", async () => {
    await open(100);
    const cap = await manage("SetSpendCap", { owner: "workspace", amount: "0.03", period: "day" });
    expect(cap.body).toMatchObject({ owner: "workspace", amount: "0.03", period: "day", spent: "0.00" });
    const codes: string[] = [];
    for (let starts = 0; starts < 4; starts += 1) {
      codes.push((await start()).code);
    }
    expect(codes).toEqual(["ok", "ok", "ok", "spend_cap_reached"]);
    const refused = await start();
    const { resets_at } = cap.body;
    expect(refused.body).toMatchObject({
      message: "This costs 0.01 EUR. Of what the workspace may spend, 0.00 EUR are left.",
      spent: "0.03",
      resets_at,
    });
    expect(resets_at).toMatch(/T00:00:00Z$/);
    expect(await balance()).toBe("0.97");
    await app.time.advance({ seconds: 86_400 });
    expect((await start()).code).toBe("ok");
    const signedIn = await app.rest("POST", "/auth/sign-in", { body: { email: workspace.email, password } });
    workspace = { ...workspace, session: signedIn.body.access_token };
    expect((await manage("DeleteSpendCap", { owner: "workspace" })).body).toEqual({
      owner: "workspace",
      deleted: true,
    });
    expect((await manage("DeleteSpendCap", { owner: "workspace" })).code).toBe("not_found");
    for (let starts = 0; starts < 4; starts += 1) {
      expect((await start()).code).toBe("ok");
    }
  });

  test("a cap of a key is its own, and what is refunded does not count to it", async () => {
    await open(100);
    const { keyId, session } = workspace;
    const { body: other } = await app.rest("POST", "/api-keys", { session, body: { name: "other" } });
    await manage("SetSpendCap", { owner: keyId, amount: "0.02", period: "month" });
    expect((await start(newMail("refused"))).code).toBe("ok");
    await until("1.00");
    expect([(await start()).code, (await start()).code, (await start()).code]).toEqual([
      "ok",
      "ok",
      "spend_cap_reached",
    ]);
    expect((await start()).body.message).toBe("This costs 0.01 EUR. Of what the key may spend, 0.00 EUR are left.");
    expect(
      (await protocol.call(app, "StartVerification", { channel: "email", recipient: newMail() }, { key: other.key }))
        .code,
    ).toBe("ok");
    const [cap] = (await manage("ListSpendCaps")).body.spend_caps;
    expect(cap).toMatchObject({ owner: keyId, period: "month", spent: "0.02" });
    expect(
      (await manage("SetSpendCap", { owner: "key_0000000000000000000000", amount: "1", period: "day" })).code,
    ).toBe("not_found");
    expect((await manage("SetSpendCap", { owner: keyId, amount: "0.001", period: "day" })).body.fields).toEqual({
      amount: "must have at most 2 digits after the point",
    });
  });

  test("without prices there is no balance, and nothing is charged", async () => {
    await open(5);
    const { key, session } = workspace;
    expect(
      (await protocol.call(free, "StartVerification", { channel: "email", recipient: newMail() }, { key })).code,
    ).toBe("ok");
    for (const rpc of ["GetBalance", "ListBalanceEntries", "ListSpendCaps"] as const) {
      expect((await protocol.call(free, rpc, {}, { session })).code).toBe("not_found");
    }
    // As everywhere, who may not make a call learns nothing else of it.
    const sandboxKey = (await app.rest("POST", "/api-keys", { session, body: { name: "sandbox", mode: "test" } })).body;
    expect((await protocol.call(free, "GetBalance", {}, { key: sandboxKey.key })).code).toBe("insufficient_scope");
    // Nor do they exist for requests that they would refuse.
    for (const [rpc, input] of [
      ["SetSpendCap", { owner: "nobody", amount: "much", period: "day" }],
      ["SetSpendCap", { owner: "workspace" }],
      ["DeleteSpendCap", { owner: "nobody" }],
      ["ListBalanceEntries", { page_size: 1_000 }],
    ] as const) {
      expect((await protocol.call(free, rpc, input, { session })).code).toBe("not_found");
    }
    expect(await balance()).toBe("0.05");
  });
});

test("a call whose reserve waits for others is answered when its own time is over, and costs nothing", async () => {
  const { key, workspaceId } = await openWorkspace(app, 1_000);
  const locker = new pg.Client(app.databaseUrl);
  await locker.connect();
  await locker.query("BEGIN");
  await locker.query("SELECT FROM wallet WHERE workspace_id = $1 FOR UPDATE", [workspaceId]);
  const body = { channel: "email", recipient: newMail() };
  const { status } = await app.rest("POST", "/verify/start", { key, body, headers: { "Request-Timeout": "0.2" } });
  expect(status).toBe(503);
  const waiting =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%spend_take_reserve%'";
  expect((await locker.query(waiting)).rowCount).toBeGreaterThan(0);
  await locker.query("ROLLBACK");
  await locker.end();
  expect((await app.rest("POST", "/verify/start", { key, body })).status).toBe(201);
  expect((await accountsOf(app.databaseUrl, workspaceId)).spent).toBe(1);
});

test("what a server has set aside goes back when it stops, and a start goes on when its reserve was closed", async () => {
  const workspace = await openWorkspace(app, 100);
  const other = await app.startAnother();
  const start = (server: TestApp) =>
    server.rest("POST", "/verify/start", { key: workspace.key, body: { channel: "email", recipient: newMail() } });
  expect((await start(other)).status).toBe(201);
  const reserves = () =>
    query(app.databaseUrl, "SELECT id FROM spend_reserve WHERE workspace_id = $1", [workspace.workspaceId]);
  expect(await reserves()).toHaveLength(1);
  await query(
    app.databaseUrl,
    "SELECT spend_close_reserve(workspace_id, id) FROM spend_reserve WHERE workspace_id = $1",
    [workspace.workspaceId],
  );
  expect((await start(other)).status).toBe(201);
  expect(await reserves()).toHaveLength(1);
  await other[Symbol.asyncDispose]();
  expect(await reserves()).toHaveLength(0);
  expect(await accountsOf(app.databaseUrl, workspace.workspaceId)).toEqual({
    funding: -100,
    wallet: 98,
    reserve: 0,
    spent: 2,
  });
});
