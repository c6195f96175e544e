/** Mail that came back: from the mailbox, over a real conversation in IMAP, to the delivery, the event and the next start. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { BounceReader } from "../../../src/capabilities/bounces/bounce-reader.ts";
import { parseBouncesUrl } from "../../../src/capabilities/bounces/bounces-url.ts";
import { Database, type Queryable } from "../../../src/database/database.ts";
import { startTestApp, useTestApp } from "../../support/app.ts";
import { connectionTo } from "../../support/database-address.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { captureLog } from "../../support/log-capture.ts";
import { standardSchema } from "../../support/schema.ts";
import { querySql } from "../../support/sql.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { SmtpSink } from "../channels/smtp-sink.ts";
import { ImapServer } from "./imap-server.ts";
import { type ReportOptions, reportOf } from "./reports.ts";

const sink = await SmtpSink.open();
const texts = await HttpFake.open();
const smtp = { url: sink.url, from: "Acme <no-reply@acme.example>", bouncesTo: "bounces@acme.example" };
const app = useTestApp({
  delivery: { ...parseConfig({ SMS_URL: texts.url, PROVIDER_SECRET: "x".repeat(32) }).delivery, smtp },
  ...limitsOf({ DEFAULT_TIER: "unlimited" }),
});
let imap: ImapServer;
let database: Database;
let key: string;
let readers: BounceReader[] = [];
let recipients = 0;
const log = captureLog();

beforeAll(async () => {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  key = (await app.rest("POST", "/api-keys", { session, body: { name: "live" } })).body.key;
  database = await Database.open({
    connection: await connectionTo(app.databaseUrl),
    logger: log.logger,
    ...standardSchema,
  });
});
beforeEach(async () => {
  imap = await ImapServer.open();
  log.lines.length = 0;
});
afterEach(async () => {
  await Promise.all(readers.map((reader) => reader.stop()));
  readers = [];
  await querySql(database, { name: "test_forget_mailboxes", text: "DELETE FROM bounce_mailbox" }, []);
  await imap.close();
});
afterAll(async () => {
  await database.close();
  await sink.close();
  await texts.close();
});

function reader(serverId: string, on: Queryable = database): BounceReader {
  const address = parseBouncesUrl(imap.url);
  const made = new BounceReader({
    database: on,
    clock: app.time,
    logger: log.logger,
    events: { committed: () => undefined },
    serverId,
    address,
  });
  readers.push(made);
  return made;
}

/** Starts a verification whose mail is accepted, and returns its id, recipient and Message-ID. */
async function sent(fields: object = {}) {
  const recipient = `ada-${++recipients}@example.com`;
  const start = { channel: "email", recipient, ...fields };
  const { status, body } = await app.rest("POST", "/verify/start", { key, body: start });
  expect(status).toBe(201);
  const mail = await vi.waitFor(() => sink.mails.find(({ to }) => to.includes(recipient)) ?? fail(), {
    timeout: 20_000,
  });
  await vi.waitFor(async () => expect((await delivery(body.verification_id)).status).toBe("sent"), { timeout: 20_000 });
  return { id: body.verification_id as string, recipient, messageId: mail.header("Message-ID"), mail };
}

const fail = (): never => {
  throw new Error("not there yet");
};
const delivery = async (id: string) => (await app.rest("GET", `/verify/${id}`, { key })).body.deliveries[0];
const suppressionsOf = async (recipient: string) =>
  (await app.rest("GET", `/suppressions?recipient=${recipient}`, { key })).body.suppressions;
const startAgain = async (recipient: string) =>
  (await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } })).status;

/** The types of a verification's events, once there are so many. */
async function eventsOf(id: string, count: number): Promise<readonly string[]> {
  return vi.waitFor(
    async () => {
      const { body } = await app.rest("GET", `/events?subject=${id}`, { key });
      expect(body.events.length).toBeGreaterThanOrEqual(count);
      return body.events.map(({ type }: { type: string }) => type);
    },
    { timeout: 20_000 },
  );
}

const returned = ["verification.started", "verification.delivered", "verification.delivery_failed"];

async function bounce(options: Partial<ReportOptions> = {}, fields: object = {}) {
  const verification = await sent(fields);
  const stored = imap.add(reportOf({ messageId: verification.messageId, ...options }));
  return { ...verification, stored };
}

test("a mail names its message and its verification, and comes back to the address of bounces", async () => {
  const { id, messageId, mail } = await sent();
  const { id: deliveryId, provider_message_id } = await delivery(id);
  expect(messageId).toBe(`<${deliveryId}.${id}@acme.example>`);
  expect(provider_message_id).toBe(messageId);
  expect(mail.from).toBe("bounces@acme.example");
  expect(mail.header("From")).toBe("Acme <no-reply@acme.example>");
});

test("a mail that came back has failed, raises its event once, and its recipient is undeliverable", async () => {
  const { id, recipient, stored } = await bounce();
  await reader("a").poll();
  expect(await delivery(id)).toMatchObject({ status: "failed", error: "the email came back: 5.1.1" });
  expect((await eventsOf(id, 3)).toSorted()).toEqual(returned.toSorted());
  expect(await suppressionsOf(recipient)).toMatchObject([
    { reason: "the email came back: 5.1.1", verification_id: id },
  ]);
  expect(await startAgain(recipient)).toBe(422);
  expect([...stored.flags]).toEqual(["\\Seen"]);
});

test("a mail that came back, though it was taken for delivered, brings the next step forward: the code goes out as a text", async () => {
  const phone = "+6591234567";
  const fallback = [{ channel: "sms", recipient: phone, after_seconds: 600 }];
  const { id, mail } = await bounce({}, { fallback });
  const view = async () => (await app.rest("GET", `/verify/${id}`, { key })).body;
  await vi.waitFor(async () => expect((await view()).fallback).toMatchObject([{ status: "skipped" }]), {
    timeout: 20_000,
  });
  expect(texts.requests).toEqual([]);
  await reader("a").poll();
  await vi.waitFor(() => expect(texts.requests).toHaveLength(1), 10_000);
  const { recipient, code } = JSON.parse(texts.requests[0]?.body ?? "");
  expect(recipient).toBe(phone);
  expect(mail.source).toContain(code);
  expect((await view()).fallback).toMatchObject([{ status: "taken" }]);
  const checked = await app.rest("POST", "/verify/check", { key, body: { verification_id: id, code } });
  expect(checked.body.status).toBe("approved");
});

test("a report that comes again, and a mailbox that is numbered anew, change nothing", async () => {
  const { id, messageId } = await bounce();
  const first = reader("a");
  await first.poll();
  imap.add(reportOf({ messageId, status: "5.2.2" }));
  await first.poll();
  await first.stop();
  imap.uidValidity += 1;
  await reader("a").poll();
  expect(await delivery(id)).toMatchObject({ status: "failed", error: "the email came back: 5.1.1" });
  expect((await eventsOf(id, 3)).toSorted()).toEqual(returned.toSorted());
});

test("what was read is not read again, by no server", async () => {
  await bounce();
  const first = reader("a");
  await first.poll();
  await first.poll();
  await first.stop();
  await reader("b").poll();
  expect(imap.fetched).toBe(1);
});

test("other mail is left alone: it is not read, and keeps its flags", async () => {
  const others = [
    imap.add("From: somebody@example.com\r\nContent-Type: text/plain\r\n\r\nHello"),
    imap.add("From: somebody@example.com\r\n\r\nHello"),
    imap.add("x", 100 * 2 ** 20),
  ];
  const foreign = imap.add(reportOf({ messageId: "<1234@example.com>" }));
  const { stored } = await bounce();
  await reader("a").poll();
  expect([...others, foreign].map(({ flags }) => flags.size)).toEqual([0, 0, 0, 0]);
  expect([...stored.flags]).toEqual(["\\Seen"]);
  // The two reports.
  expect(imap.fetched).toBe(2);
});

test.each([
  ["is delayed", { action: "delayed", status: "4.4.1" }, "sent"],
  ["was given up after days", { status: "4.4.7" }, "failed"],
  ["met a full mailbox", { status: "5.2.2" }, "failed"],
  ["was refused by policy", { status: "5.7.1" }, "failed"],
])("a mail that %s suppresses nobody", async (_, options, status) => {
  const { id, recipient } = await bounce(options);
  await reader("a").poll();
  expect((await delivery(id)).status).toBe(status);
  expect(await suppressionsOf(recipient)).toEqual([]);
});

test("a mail whose code was entered has not come back for good", async () => {
  const { id, recipient, mail } = await bounce();
  const code = /\b\d{6}\b/.exec(mail.source.split("\r\n\r\n").slice(1).join())?.[0];
  const checked = await app.rest("POST", "/verify/check", { key, body: { verification_id: id, code } });
  expect(checked.body.status).toBe("approved");
  await reader("a").poll();
  expect((await delivery(id)).status).toBe("failed");
  expect(await suppressionsOf(recipient)).toEqual([]);
});

test("an erased recipient is not suppressed", async () => {
  const { recipient } = await bounce();
  await app.rest("POST", "/verifications/erase", { key, body: { recipient } });
  await reader("a").poll();
  expect(await suppressionsOf(recipient)).toEqual([]);
  expect(await startAgain(recipient)).toBe(201);
});

test("two hundred forged reports are read in batches, and hold up no call", async () => {
  for (let count = 0; count < 200; count += 1) {
    imap.add(reportOf({ messageId: `<dlv_${"0".repeat(22)}.vrf_${String(count).padStart(22, "0")}@acme.example>` }));
  }
  const { id } = await bounce();
  const startedMs = performance.now();
  const polling = reader("a").poll();
  let slowestMs = 0;
  let isDone = false;
  void polling.then(() => {
    isDone = true;
  });
  while (!isDone) {
    const callMs = performance.now();
    await app.rest("GET", `/verify/${id}`, { key });
    slowestMs = Math.max(slowestMs, performance.now() - callMs);
  }
  console.log(
    `200 forged reports: ${Math.round(performance.now() - startedMs)} ms, slowest call ${Math.round(slowestMs)} ms`,
  );
  expect((await delivery(id)).status).toBe("failed");
});

describe("of two servers", () => {
  test("one reads the mailbox, and the other takes over at once if it stops, and after a minute if it dies", async () => {
    const [a, b] = [reader("a"), reader("b")];
    await a.poll();
    await b.poll();
    expect(imap.connections).toBe(1);
    const { id } = await bounce();
    await b.poll();
    expect((await delivery(id)).status).toBe("sent");
    await a.stop();
    await b.poll();
    expect((await delivery(id)).status).toBe("failed");
    const dead = await bounce();
    const c = reader("c");
    await c.poll();
    expect((await delivery(dead.id)).status).toBe("sent");
    await app.time.advance({ seconds: 61 });
    await c.poll();
    expect((await delivery(dead.id)).status).toBe("failed");
  });

  test("both at once, with no claim between them, record a bounce once", async () => {
    const { id } = await bounce();
    const without: Queryable = {
      run: (statement, ...values) =>
        statement.name === "claim_bounce_mailbox"
          ? Promise.resolve([{ uidValidity: null, lastUid: 0 }] as never)
          : database.run(statement, ...values),
    };
    await Promise.all([reader("a", without).poll(), reader("b", without).poll()]);
    expect((await eventsOf(id, 3)).toSorted()).toEqual(returned.toSorted());
  });
});

test("a crash after recording has the report read again, and recorded once", async () => {
  const { id, stored } = await bounce();
  const dying: Queryable = {
    run: (statement, ...values) =>
      statement.name === "advance_bounce_mailbox"
        ? Promise.reject(new Error("killed"))
        : database.run(statement, ...values),
  };
  await reader("a", dying).poll();
  expect((await delivery(id)).status).toBe("failed");
  expect(stored.flags.size).toBe(0);
  await reader("b").poll();
  expect([...stored.flags]).toEqual(["\\Seen"]);
  expect((await eventsOf(id, 3)).toSorted()).toEqual(returned.toSorted());
});

test.each([
  ["while it is fetched", /BODY\.PEEK\[\]/],
  ["before it is marked", /^UID STORE/],
  ["at the search", /^UID SEARCH/],
])("a connection that is lost %s costs no bounce", async (_, command) => {
  const { id } = await bounce();
  imap.cutAt = command;
  const one = reader("a");
  await one.poll();
  await one.poll();
  expect((await delivery(id)).status).toBe("failed");
  expect((await eventsOf(id, 3)).toSorted()).toEqual(returned.toSorted());
});

test("wrong credentials and a mailbox that is down are logged once, without what the mailbox said, and end by themselves", async () => {
  const { id } = await bounce();
  imap.password = "another";
  const one = reader("a");
  await one.poll();
  await one.poll();
  const unavailable = () => log.lines.filter((line) => line.includes("bounces_unavailable"));
  expect(unavailable()).toHaveLength(1);
  expect(JSON.parse(unavailable()[0] ?? "")).toMatchObject({
    mailbox: expect.stringMatching(/^imap:\/\/127\.0\.0\.1:\d+$/),
    reason: "the mailbox refused the credentials",
    retry_ms: 300_000,
  });
  expect(log.lines.join()).not.toMatch(/secret|no bounces@/);
  imap.password = "secret";
  await one.poll();
  expect(log.lines.filter((line) => line.includes("bounces_available"))).toHaveLength(1);
  expect((await delivery(id)).status).toBe("failed");
});

test("a server starts and serves although its mailbox is down, and stops at once", async () => {
  const address = parseBouncesUrl("imap://bounces:secret@127.0.0.1:9");
  const server = await startTestApp({ bounces: address });
  try {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await vi.waitFor(() => expect(server.logLines.join()).toContain("bounces_unavailable"), { timeout: 20_000 });
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

test("a server reads its mailbox when it starts", async () => {
  const { id } = await bounce();
  const server = await app.startAnother({ bounces: parseBouncesUrl(imap.url) });
  try {
    await vi.waitFor(async () => expect((await delivery(id)).status).toBe("failed"), { timeout: 20_000 });
  } finally {
    await server[Symbol.asyncDispose]();
  }
  expect(imap.connections).toBe(0);
});
