/** What reports say of the cost of verifications: what was charged for their messages, without what came back. */
import pg from "pg";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import type { TestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import {
  accountsOf,
  openWorkspace,
  type PricedWorkspace,
  pricedConfig,
  query,
  usePricedApp,
} from "../balance/balance-fixture.ts";
import { HttpFake } from "../channels/http-fake.ts";

/** It takes calls, and refuses text messages. */
const refusing = await HttpFake.open();
refusing.answer = { status: 422 };
const taking = await HttpFake.open();
const urls = { SMS_URL: refusing.url, VOICE_URL: taking.url, PROVIDER_SECRET: "x".repeat(32) };
const { delivery } = parseConfig(urls);
const app = usePricedApp({ delivery }, { sweepIntervalMs: 200 });
/** Not beside a test that sends: what it sends costs nothing. */
const startWithoutPrices = () => app.startAnother({ ...pricedConfig, delivery, prices: undefined });
afterAll(async () => {
  await refusing.close();
  await taking.close();
});

/** The provider has a message, and does not answer before it is let go. */
let letGo = () => {};
const hold = (provider: HttpFake) => {
  const held = Promise.withResolvers<void>();
  provider.held = held.promise;
  letGo = () => held.resolve();
};
afterEach(() => {
  letGo();
  refusing.held = undefined;
  taking.held = undefined;
  taking.answer = { status: 200 };
});

let numbers = 0;
const newNumber = () => `+3361234${String(++numbers).padStart(4, "0")}`;

const messagesAt = (provider: HttpFake, recipient: string) =>
  provider.requests.filter(({ body }) => body.includes(recipient)).length;

describe.each(protocols)("over $name", (protocol) => {
  const open = () => openWorkspace(app, 100);
  type Input = Readonly<Record<string, unknown>>;
  const call = async ({ key }: PricedWorkspace, rpc: Parameters<typeof protocol.call>[1], input: Input = {}) => {
    const { code, body } = await protocol.call(app, rpc, input, { key });
    expect(code).toBe("ok");
    return body;
  };
  const groupsOnce = (workspace: PricedWorkspace, groups: readonly object[], input: Input = {}) =>
    vi.waitFor(
      async () => {
        const report = await call(workspace, "GetVerificationReport", input);
        expect(report.groups).toMatchObject(groups);
        expect(report.currency).toBe("EUR");
      },
      { timeout: 20_000 },
    );

  test("the cost is that of all messages of a verification, in the group of its start", async () => {
    const workspace = await open();
    const fallback = [{ channel: "voice", after_seconds: 30 }];
    const start = { channel: "voice", recipient: newNumber() };
    const { verification_id } = await call(workspace, "StartVerification", start);
    await call(workspace, "ResendCode", { verification_id });
    await call(workspace, "CancelVerification", { verification_id });
    await groupsOnce(workspace, [{ channel: "voice", country: "FR", started: 1, canceled: 1, cost: "0.40" }], {
      group_by: ["channel", "country"],
    });
    // The text message is refused, so that its price comes back, and the step of the fallback is taken.
    await call(workspace, "StartVerification", { channel: "sms", recipient: newNumber(), fallback });
    await groupsOnce(
      workspace,
      [
        { channel: "sms", provider: "adapter", started: 1, failed_messages: 1, cost: "0.20" },
        { channel: "voice", provider: "adapter", started: 1, cost: "0.40" },
      ],
      { group_by: ["channel", "provider"] },
    );
    await groupsOnce(workspace, [{ started: 2, cost: "0.60" }]);
    await groupsOnce(workspace, [{ started: 2, cost: "0.60", api_key_id: workspace.keyId }], { group_by: ["api_key"] });
    const { body } = await app.rest("GET", "/balance", { session: workspace.session });
    expect(body.amount).toBe("0.40");
  });

  test("a price that comes back after the end of the verification is subtracted from the group of its start", async () => {
    const workspace = await open();
    const start = { channel: "voice", recipient: newNumber() };
    const { verification_id } = await call(workspace, "StartVerification", start);
    await groupsOnce(workspace, [{ sent: 1, cost: "0.20" }]);
    // A message that waits: nobody has claimed it when the verification ends.
    await query(
      app.databaseUrl,
      `WITH charge AS (
         INSERT INTO ledger_entry (workspace_id, reserve_id, reference, kind, debit, credit, amount, subject_id, day, created_at)
         VALUES ($1, 'rsv_gone', 'dlv_waits' || $2, 'charge', 'reserve', 'spent', 20, $2, '2026-01-01', byond_now())
       ), charged AS (
         UPDATE verification SET charged = charged + 20 WHERE workspace_id = $1 AND id = $2
       )
       INSERT INTO outbox (workspace_id, id, kind, lane, subject_id, payload_sealed, available_at, created_at, expires_at, charged_to, price)
       VALUES ($1, 'dlv_waits' || $2, 'verification_code', 'none', $2, '', 'infinity', byond_now(), 'infinity', 'rsv_gone', 20)`,
      [workspace.workspaceId, verification_id],
    );
    await query(app.databaseUrl, "UPDATE verification SET status = 'expired' WHERE workspace_id = $1 AND id = $2", [
      workspace.workspaceId,
      verification_id,
    ]);
    await groupsOnce(workspace, [{ expired: 1, cost: "0.40" }]);
    await query(
      app.databaseUrl,
      "UPDATE outbox SET status = 'expired', payload_sealed = NULL, finished_at = byond_now() WHERE workspace_id = $1 AND id = $2",
      [workspace.workspaceId, `dlv_waits${verification_id}`],
    );
    await groupsOnce(workspace, [{ expired: 1, failed_messages: 1, cost: "0.20" }]);
  });

  const wasTakenUp = (provider: HttpFake, recipient: string, messages: number) =>
    vi.waitFor(() => expect(messagesAt(provider, recipient)).toBe(messages), { timeout: 20_000 });

  test.each([
    ["cancels the verification", "CancelVerification"],
    ["erases the recipient", "EraseRecipient"],
  ] as const)("a price that comes back after a call %s, during an attempt, is subtracted", async (_, rpc) => {
    const workspace = await open();
    const recipient = newNumber();
    hold(refusing);
    const { verification_id } = await call(workspace, "StartVerification", { channel: "sms", recipient });
    await wasTakenUp(refusing, recipient, 1);
    await call(workspace, rpc, rpc === "CancelVerification" ? { verification_id } : { recipient });
    await groupsOnce(workspace, [{ started: 1, canceled: 1, cost: "0.09" }]);
    letGo();
    await vi.waitFor(
      async () => expect(await accountsOf(app.databaseUrl, workspace.workspaceId)).toMatchObject({ spent: 0 }),
      { timeout: 20_000 },
    );
    const group_by = ["channel", "country", "provider", "api_key"];
    await groupsOnce(workspace, [{ channel: "sms", country: "FR", started: 1, canceled: 1, cost: "0.00" }], {
      group_by,
    });
    await groupsOnce(workspace, [{ started: 1, cost: "0.00" }], { group_by: ["day"], time_zone: "Asia/Kathmandu" });
  });

  test("it is subtracted from the group of the first message, and nothing else is", async () => {
    const workspace = await open();
    const recipient = newNumber();
    const group_by = ["provider"];
    const { verification_id } = await call(workspace, "StartVerification", { channel: "voice", recipient });
    await groupsOnce(workspace, [{ provider: "adapter", sent: 1, cost: "0.20" }], { group_by });
    hold(taking);
    taking.answer = { status: 422 };
    await call(workspace, "ResendCode", { verification_id });
    await wasTakenUp(taking, recipient, 2);
    await call(workspace, "CancelVerification", { verification_id });
    await groupsOnce(workspace, [{ provider: "adapter", canceled: 1, cost: "0.40" }], { group_by });
    letGo();
    await groupsOnce(workspace, [{ provider: "adapter", canceled: 1, sent: 1, cost: "0.20" }], { group_by });
    expect(await accountsOf(app.databaseUrl, workspace.workspaceId)).toMatchObject({ spent: 20 });
  });

  test("the sandbox costs nothing, and without prices there is no cost", async () => {
    const workspace = await open();
    const sandbox = await app.rest("POST", "/api-keys", {
      session: workspace.session,
      body: { name: "sandbox", mode: "test" },
    });
    const key = { ...workspace, key: sandbox.body.key };
    const { verification_id } = await call(key, "StartVerification", {
      channel: "email",
      recipient: "ada@example.com",
    });
    await call(key, "CancelVerification", { verification_id });
    await groupsOnce(key, [{ started: 1, cost: "0.00" }]);
    await using free = await startWithoutPrices();
    const { body } = await protocol.call(free, "GetVerificationReport", {}, { key: key.key });
    expect(body).toMatchObject({ currency: null, groups: [{ started: 1, cost: null }] });
  });
});

test("what came back waits for events without a position, which may tell the provider", async () => {
  const workspace = await openWorkspace(app, 100);
  const { key, workspaceId } = workspace;
  const recipient = newNumber();
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    // Nothing is numbered meanwhile.
    await client.query("SELECT pg_advisory_lock(7269341953)");
    hold(refusing);
    const { body } = await app.rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } });
    await vi.waitFor(() => expect(messagesAt(refusing, recipient)).toBe(1), { timeout: 20_000 });
    await app.rest("POST", `/verify/${body.verification_id}/cancel`, { key, body: {} });
    letGo();
    const waiting = "SELECT amount FROM verification_refund WHERE workspace_id = $1";
    const isWaiting = async () => expect((await client.query(waiting, [workspaceId])).rows).toEqual([{ amount: "9" }]);
    await vi.waitFor(isWaiting, { timeout: 20_000 });
    expect((await client.query("SELECT report_count_refunds(1000) AS taken")).rows).toEqual([{ taken: 0 }]);
    await isWaiting();
  } finally {
    await client.end();
  }
  const report = () => app.rest("GET", "/reports/verifications?group_by=provider", { key });
  await vi.waitFor(
    async () => expect((await report()).body.groups).toMatchObject([{ canceled: 1, failed_messages: 1, cost: "0.00" }]),
    { timeout: 20_000 },
  );
});

test("a table has the cost as its last column, empty without prices", async () => {
  const { key } = await openWorkspace(app, 100);
  const start = { channel: "voice", recipient: newNumber() };
  const { body } = await app.rest("POST", "/verify/start", { key, body: start });
  await app.rest("POST", `/verify/${body.verification_id}/cancel`, { key, body: {} });
  const tableOf = async ({ url }: TestApp) => {
    const headers = { "x-api-key": key, accept: "text/csv" };
    const answer = await fetch(`${url}/api/v1/reports/verifications`, { headers });
    return (await answer.text()).split("\r\n").map((line) => line.split(",").at(-1));
  };
  await vi.waitFor(async () => expect(await tableOf(app)).toEqual(["cost", "0.20", ""]), { timeout: 20_000 });
  await using free = await startWithoutPrices();
  expect(await tableOf(free)).toEqual(["cost", "", ""]);
});
