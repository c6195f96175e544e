/** How long an endpoint is tried that fails, and what its owner hears of it. */
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { disabledMailLimit, retryAfterMs } from "../../src/capabilities/webhooks/webhooks.policy.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { Receiver } from "../capabilities/webhooks/receiver.ts";
import { startTestApp, type TestApp } from "../support/app.ts";

let sink: SmtpSink;
let app: TestApp;
beforeAll(async () => {
  sink = await SmtpSink.open();
  app = await startTestApp({
    webhookDestinations: { allowedNetworks: [], allowsLoopback: true },
    delivery: { ...parseConfig({}).delivery, smtp: { url: sink.url, from: "no-reply@byond.example" } },
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await sink.close();
});

const patience = { timeout: 20_000, interval: 30 };
const mailsTo = (email: string) => sink.mails.filter(({ to }) => to.includes(email));

/** A key that does not end with its session, of an owner whose address is verified. */
async function createOwner() {
  const { session, email } = await app.signUp();
  await app.rest("POST", "/auth/verify-email", { session });
  await vi.waitFor(() => expect(mailsTo(email)).toHaveLength(1), patience);
  const code = /^ {4}(\d+)\r?$/m.exec(mailsTo(email)[0]?.source ?? "")?.[1] ?? "";
  expect((await app.rest("POST", "/auth/verify-email/check", { session, body: { code } })).body.verified).toBe(true);
  const body = { name: "webhooks", mode: "test", scopes: ["*"] };
  return { email, key: (await app.rest("POST", "/api-keys", { session, body })).body.key };
}

test("an event is tried ten times in three days; an endpoint that fails for five days is disabled, and its owner told", async () => {
  const [failing, other] = [await Receiver.start(), await Receiver.start()];
  failing.behaviour = 500;
  const { email, key } = await createOwner();
  const create = async (body: object): Promise<{ id: string; secret: string }> =>
    (await app.rest("POST", "/webhooks", { key, body })).body;
  const { id, secret } = await create({ url: failing.url, events: ["verification.started"] });
  await create({ url: other.url, events: ["webhook.disabled"] });
  const start = async (recipient: string) =>
    expect((await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } })).status).toBe(201);
  const deliveries = async () => (await app.rest("GET", `/webhooks/${id}/deliveries`, { key })).body.deliveries;
  const attempted = (attempts: number, status: string) =>
    vi.waitFor(async () => expect((await deliveries())[0]).toMatchObject({ attempts, status }), patience);

  await start("one@example.com");
  await attempted(1, "pending");
  for (const [index, pauseMs] of retryAfterMs.entries()) {
    const [{ next_attempt_at: next }] = await deliveries();
    const pause = Date.parse(next) - app.time.now().getTime();
    expect(pause).toBeLessThanOrEqual(pauseMs * 1.1 + 1_000);
    // Answers have whole seconds.
    expect(pause).toBeGreaterThan(pauseMs - 4_000);
    await app.time.advance({ seconds: (pauseMs * 1.1) / 1_000 });
    await attempted(index + 2, index + 2 === 10 ? "failed" : "pending");
  }
  expect(failing.received).toHaveLength(10);
  expect(new Set(failing.received.map(({ body }) => body)).size).toBe(1);
  expect((await app.rest("GET", `/webhooks/${id}`, { key })).body).toMatchObject({ enabled: true });
  expect(other.received).toHaveLength(0);

  // Three and a half days: another event fails a day later, and the next one a day after that.
  for (const [index, recipient] of ["two@example.com", "three@example.com"].entries()) {
    await app.time.advance({ seconds: 20 * 3_600 });
    await start(recipient);
    await vi.waitFor(() => expect(failing.received.length).toBeGreaterThan(10 + index), patience);
  }
  const { event } = await other.got(1);
  expect(event).toMatchObject({ type: "webhook.disabled", data: { id, disabled_reason: "failing", enabled: false } });
  await vi.waitFor(() => expect(mailsTo(email)).toHaveLength(2), patience);
  const mail = mailsTo(email)[1]?.source ?? "";
  expect(mail).toContain("Subject: A webhook of yours was disabled");
  expect(mail).toContain(id);
  expect([mail, ...app.logLines].join("\n")).not.toContain(secret);
  expect((await app.rest("PATCH", `/webhooks/${id}`, { key, body: { enabled: true } })).body).toMatchObject({
    enabled: true,
    disabled_reason: null,
  });
}, 120_000);

test("failures with days of silence between them do not add up", async () => {
  const receiver = await Receiver.start();
  receiver.behaviour = 404;
  const { key } = await createOwner();
  const body = { url: receiver.url, events: ["verification.canceled"] };
  const { id } = (await app.rest("POST", "/webhooks", { key, body })).body;
  for (const count of [1, 2]) {
    const started = await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "email", recipient: `silent-${count}@example.com` },
    });
    await app.rest("POST", `/verify/${started.body.verification_id}/cancel`, { key });
    await receiver.got(count);
    const { deliveries } = (await app.rest("GET", `/webhooks/${id}/deliveries`, { key })).body;
    const again = await app.rest("PATCH", `/webhooks/${id}`, { key, body: { description: `${deliveries.length}` } });
    expect(again.body.enabled).toBe(true);
    await app.time.advance({ seconds: 6 * 86_400 });
  }
}, 60_000);

test("an endpoint that is enabled and disabled again and again has one mail on its way, and a few a day", async () => {
  const gone = await Receiver.start();
  gone.behaviour = 410;
  const { email, key } = await createOwner();
  const body = { url: gone.url, events: ["verification.started"] };
  const { id } = (await app.rest("POST", "/webhooks", { key, body })).body;
  const isDisabled = () =>
    vi.waitFor(
      async () => expect((await app.rest("GET", `/webhooks/${id}`, { key })).body.enabled).toBe(false),
      patience,
    );
  await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "gone@example.com" } });
  await isDisabled();
  const [delivery] = (await app.rest("GET", `/webhooks/${id}/deliveries`, { key })).body.deliveries;
  const disableAgain = async () => {
    await app.rest("PATCH", `/webhooks/${id}`, { key, body: { enabled: true } });
    const again = await app.rest("POST", `/webhooks/${id}/deliveries/${delivery.id}/redeliver`, { key });
    expect(again.status).toBeLessThan(300);
    await isDisabled();
  };
  for (let count = 0; count < 3; count += 1) {
    await disableAgain();
  }
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  const mails = await client.query("SELECT status FROM outbox WHERE subject_id = $1", [id]);
  expect(mails.rows).toEqual([{ status: "pending" }]);

  const mailCount = async () =>
    (await client.query("SELECT count(*)::integer FROM outbox WHERE subject_id = $1", [id])).rows[0].count;
  // With the mail that verified the owner's address.
  for (let count = 1; count <= disabledMailLimit.burst; count += 1) {
    expect(await mailCount()).toBe(count);
    await app.time.advance({ seconds: 11 });
    await vi.waitFor(() => expect(mailsTo(email)).toHaveLength(count + 1), patience);
    await disableAgain();
  }
  expect(await mailCount()).toBe(disabledMailLimit.burst);
  await app.time.advance({ seconds: disabledMailLimit.periodSeconds });
  await disableAgain();
  expect(await mailCount()).toBe(disabledMailLimit.burst + 1);
  await client.end();
}, 60_000);
