/** A capability adds steps to the statement that sends codes, without a change to `verify/`. */
import { defineEntity, p } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { accountsCapability } from "../../src/capabilities/accounts/accounts.capability.ts";
import { channelsCapability } from "../../src/capabilities/channels/channels.capability.ts";
import { emailLookupCapability } from "../../src/capabilities/email-lookup/email-lookup.capability.ts";
import { keysCapability } from "../../src/capabilities/keys/keys.capability.ts";
import { defineSendStep } from "../../src/capabilities/verify/define-send-step.ts";
import { verifyCapability } from "../../src/capabilities/verify/verify.capability.ts";
import type { Capability } from "../../src/capability.ts";
import { text } from "../../src/database/statement.ts";
import { AppError, invalidFields } from "../../src/errors.ts";
import { startTestApp, type TestApp } from "../support/app.ts";

/** Refuses recipients that the workspace has blocked. */
const guard = defineSendStep({
  name: "guard",
  parameters: { address: text },
  values: ({ recipient }) => ({ address: recipient.address }),
  sql: (p, { reached }) => ({
    passed: `${reached} AND NOT EXISTS (SELECT FROM blocked WHERE workspace_id = ${p.workspaceId} AND address = ${p.address})`,
  }),
  refusal: () => invalidFields({ recipient: "is blocked" }),
});

/** Takes one of the workspace's credits for a mail. Other channels are free. */
const charge = defineSendStep({
  name: "charge",
  parameters: {},
  isNeeded: ({ channel }) => channel === "email",
  values: () => ({}),
  sql: (p, { reached }) => ({
    ctes: `charge AS (
      UPDATE credit SET amount = amount - 1 WHERE workspace_id = ${p.workspaceId} AND amount > 0 AND ${reached} RETURNING 1
    )`,
    passed: "EXISTS (SELECT FROM charge)",
    changes: ["charge"],
  }),
  refusal: () => new AppError("rate_limited", "There are no credits left.", { retryAfterSeconds: 1 }),
});

/** Records every send. */
const event = defineSendStep({
  name: "event",
  parameters: {},
  values: () => ({}),
  sql: (p) => ({
    ctes: `event AS (
      INSERT INTO send_event (workspace_id, subject_id) SELECT ${p.workspaceId}, ${p.id} FROM sending RETURNING 1
    )`,
    changes: ["event"],
  }),
});

const entities = [
  defineEntity({
    name: "Blocked",
    tableName: "blocked",
    properties: { workspaceId: p.text().primary(), address: p.text().primary() },
  }),
  defineEntity({
    name: "Credit",
    tableName: "credit",
    properties: { workspaceId: p.text().primary(), amount: p.integer() },
  }),
  defineEntity({
    name: "SendEvent",
    tableName: "send_event",
    properties: { number: p.bigint().primary(), workspaceId: p.text(), subjectId: p.text() },
  }),
];

class Ledger0001 extends Migration {
  override up(): void {
    this.addSql("CREATE TABLE blocked (workspace_id text, address text, PRIMARY KEY (workspace_id, address))");
    this.addSql("CREATE TABLE credit (workspace_id text PRIMARY KEY, amount integer NOT NULL)");
    this.addSql(
      "CREATE TABLE send_event (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, workspace_id text, subject_id text)",
    );
  }
}

function capabilitiesWithLedger(): Capability[] {
  const channels = channelsCapability();
  const keys = keysCapability();
  const sendSteps = { guard: [guard], charge: [charge], event: [event] };
  const emailLookup = emailLookupCapability();
  const verify = verifyCapability({ channels: channels.offer, emailLookup: emailLookup.offer, sendSteps });
  const needs = { channels: channels.offer, keys: keys.offer, verifications: verify.offer };
  const ledger: Capability = {
    name: "ledger",
    entities,
    workspaceTables: { blocked: "address", credit: "workspace_id", send_event: "number" },
    migrations: [{ name: "ledger-0001", class: Ledger0001 }],
    start: () => ({}),
  };
  return [channels, keys, verify, emailLookup, accountsCapability(needs), ledger];
}

let app: TestApp;
let client: pg.Client;
let session: string;
let key: string;
let keyId: string;
let workspaceId: string;
let count = 0;

beforeAll(async () => {
  app = await startTestApp({}, { capabilities: capabilitiesWithLedger() });
  client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await app[Symbol.asyncDispose]();
});
beforeEach(async () => {
  ({ session, workspaceId } = await app.signUp());
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "send", mode: "test" } });
  ({ key, id: keyId } = body);
});

const credits = async (amount: number) => {
  await client.query("INSERT INTO credit VALUES ($1, $2)", [workspaceId, amount]);
};
const creditsLeft = async () =>
  (await client.query("SELECT amount FROM credit WHERE workspace_id = $1", [workspaceId])).rows[0].amount;
const subjectsOf = async (table: "send_event" | "outbox") =>
  (await client.query(`SELECT subject_id FROM ${table} WHERE workspace_id = $1`, [workspaceId])).rows
    .map((row) => row.subject_id)
    .sort();
const started = async () =>
  (await client.query("SELECT id FROM verification WHERE workspace_id = $1", [workspaceId])).rows
    .map((row) => row.id)
    .sort();
const newRecipient = () => `ada-${++count}@example.com`;
const start = (recipient: string, channel = "email") =>
  app.rest("POST", "/verify/start", { key, body: { channel, recipient } });

test("a guard refuses a start before any limit is counted and any credit is taken", async () => {
  await credits(9);
  const recipient = newRecipient();
  await client.query("INSERT INTO blocked VALUES ($1, $2)", [workspaceId, recipient]);
  for (const _ of Array(5)) {
    const { status, body } = await start(recipient);
    expect([status, body.error.fields]).toEqual([422, { recipient: "is blocked" }]);
  }
  expect([await creditsLeft(), await started(), await subjectsOf("outbox")]).toEqual([9, [], []]);
  await client.query("DELETE FROM blocked WHERE workspace_id = $1", [workspaceId]);
  const allowed = await Promise.all(Array.from({ length: 3 }, () => start(recipient)));
  expect(allowed.map(({ status }) => status)).toEqual([201, 201, 201]);
});

test("a start that a limit refuses takes no credit and records nothing", async () => {
  await credits(9);
  const recipient = newRecipient();
  const answers = [];
  for (const _ of Array(4)) {
    answers.push(await start(recipient));
  }
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 429]);
  expect(answers[3]?.body.error.message).toContain("Too many verifications for this recipient");
  expect(await creditsLeft()).toBe(6);
  expect(await subjectsOf("send_event")).toEqual(await started());
});

test("ten parallel starts with four credits send four codes, and record four events", async () => {
  await credits(4);
  const answers = await Promise.all(Array.from({ length: 10 }, () => start(newRecipient())));
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused.map(({ status, body }) => [status, body.error.message])).toEqual(
    Array(6).fill([429, "There are no credits left."]),
  );
  expect(await creditsLeft()).toBe(0);
  const ids = answers.filter(({ status }) => status === 201).map(({ body }) => body.verification_id);
  expect(await started()).toEqual(ids.sort());
  expect([await subjectsOf("send_event"), await subjectsOf("outbox")]).toEqual([ids, ids]);
});

test("a resend passes the same steps", async () => {
  await credits(2);
  const recipient = newRecipient();
  const id = (await start(recipient)).body.verification_id;
  const resend = () => app.rest("POST", `/verify/${id}/resend`, { key, body: {} });
  expect((await resend()).status).toBe(200);
  expect([(await resend()).body.error.message, await creditsLeft()]).toEqual(["There are no credits left.", 0]);
  await client.query("INSERT INTO blocked VALUES ($1, $2)", [workspaceId, recipient]);
  expect((await resend()).body.error.fields).toEqual({ recipient: "is blocked" });
  expect(await subjectsOf("send_event")).toEqual([id, id]);
});

test("a send skips a step that it does not need", async () => {
  expect((await start("+6591234567", "whatsapp")).status).toBe(201);
  expect(await subjectsOf("send_event")).toEqual(await started());
});

test("a start whose key is revoked while a step waits takes no credit and records nothing", async () => {
  await credits(1);
  await client.query("BEGIN");
  await client.query("SELECT FROM credit WHERE workspace_id = $1 FOR UPDATE", [workspaceId]);
  const waiting = start(newRecipient());
  await vi.waitFor(
    async () => {
      const { rowCount } = await client.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
      expect(rowCount).toBe(1);
    },
    { timeout: 20_000 },
  );
  expect((await app.rest("DELETE", `/api-keys/${keyId}`, { session })).status).toBe(200);
  expect((await waiting).status).toBe(401);
  await client.query("COMMIT");
  await vi.waitFor(
    async () => {
      const { rowCount } = await client.query(
        "SELECT FROM pg_stat_activity WHERE query LIKE '%send_event%' AND state = 'active' AND pid <> pg_backend_pid()",
      );
      expect(rowCount).toBe(0);
    },
    { timeout: 20_000 },
  );
  expect([await creditsLeft(), await started(), await subjectsOf("send_event")]).toEqual([1, [], []]);
});
