import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { SmtpSink } from "../channels/smtp-sink.ts";

/** Mails that a server sends in parallel. */
const places = 10;

let sink: SmtpSink;
let app: TestApp;
let key: string;
beforeAll(async () => {
  sink = await SmtpSink.open();
  const { delivery } = parseConfig({ SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" });
  app = await startTestApp({ delivery });
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  key = (await app.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body.key;
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await sink.close();
});

test.each([
  ["canceled", (id: string) => app.rest("POST", `/verify/${id}/cancel`, { key, body: {} })],
  [
    "erased",
    () => app.rest("POST", "/verifications/erase", { key, body: { recipient: "withdrawn-erased@example.com" } }),
  ],
])("a waiting message is not sent after its verification was %s", async (name, withdraw) => {
  const mayGoOn = Promise.withResolvers<void>();
  sink.behaviour = { onReceived: () => mayGoOn.promise };
  const start = async (recipient: string) =>
    (await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } })).body.verification_id;
  for (let index = 0; index < places; index += 1) {
    await start(`before-${index}-${name}@example.com`);
  }
  const before = sink.mails.length;
  const withdrawn = await start(`withdrawn-${name}@example.com`);
  const last = `after-${name}@example.com`;
  await start(last);
  expect((await withdraw(withdrawn)).status).toBe(200);
  mayGoOn.resolve();
  await sink.received(before + places + 1);
  const recipients = sink.mails.slice(before).flatMap(({ to }) => to);
  expect(recipients).toContain(last);
  expect(recipients.filter((recipient) => recipient.startsWith("withdrawn"))).toEqual([]);
});

test("a waiting message is not sent after its workspace was deleted, and neither key nor session works on any server", async () => {
  await using other = await app.startAnother({ delivery: parseConfig({}).delivery });
  const doomed = await app.signUp();
  await verifyEmailOf(app.databaseUrl, doomed.workspaceId);
  const body = { name: "a key" };
  const doomedKey = (await app.rest("POST", "/api-keys", { session: doomed.session, body })).body.key;
  const statusOf = async (server: TestApp, call: object) => (await server.rest("GET", "/auth/me", call)).status;
  for (const call of [{ key: doomedKey }, { session: doomed.session }]) {
    expect([await statusOf(app, call), await statusOf(other, call)]).toEqual([200, 200]);
  }
  const mayGoOn = Promise.withResolvers<void>();
  sink.behaviour = { onReceived: () => mayGoOn.promise };
  const start = async (recipient: string, withKey = key) =>
    (await app.rest("POST", "/verify/start", { key: withKey, body: { channel: "email", recipient } })).status;
  for (let index = 0; index < places; index += 1) {
    await start(`before-${index}-deleted@example.com`);
  }
  const before = sink.mails.length;
  expect(await start("doomed@example.com", doomedKey)).toBe(201);
  expect(await start("after-deleted@example.com")).toBe(201);
  const { session } = doomed;
  const wrong = await app.rest("DELETE", "/workspace", { session, body: { password: "not this one" } });
  expect([wrong.status, wrong.body.error.code]).toEqual([401, "invalid_password"]);
  expect((await app.rest("DELETE", "/workspace", { session, body: { password } })).status).toBe(200);
  for (const call of [{ key: doomedKey }, { session }]) {
    expect([await statusOf(app, call), await statusOf(other, call)]).toEqual([401, 401]);
  }
  mayGoOn.resolve();
  await sink.received(before + places + 1);
  const recipients = sink.mails.slice(before).flatMap(({ to }) => to);
  expect(recipients).toContain("after-deleted@example.com");
  expect(recipients).not.toContain("doomed@example.com");
});
