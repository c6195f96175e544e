/** Events of messages: what a provider confirms or refuses, and what is never sent. */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { WhatsappFake } from "../../system/whatsapp-fake.ts";
import { start } from "../verify/verify-calls.ts";
import { eventsOnce, typesOf } from "./event-calls.ts";

const [rest] = protocols;
if (rest === undefined) {
  throw new Error("there is no protocol");
}
const appSecret = "the secret of the app at Meta";

let whatsapp: WhatsappFake;
let reporting: TestApp;
let silent: TestApp;
const keys = new Map<TestApp, string>();

beforeAll(async () => {
  whatsapp = await WhatsappFake.open();
  const settings = {
    WHATSAPP_TOKEN: "token",
    WHATSAPP_PHONE_NUMBER_ID: "1",
    WHATSAPP_TEMPLATE: "code",
    WHATSAPP_API_URL: whatsapp.url,
  };
  const { delivery } = parseConfig(settings);
  reporting = await startTestApp({ delivery: { ...delivery, whatsappWebhook: { appSecret, verifyToken: "a word" } } });
  silent = await startTestApp({ delivery });
  for (const app of [reporting, silent]) {
    const { session, workspaceId } = await app.signUp();
    await verifyEmailOf(app.databaseUrl, workspaceId);
    keys.set(app, (await app.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body.key);
  }
});
afterAll(async () => {
  await reporting[Symbol.asyncDispose]();
  await silent[Symbol.asyncDispose]();
  await whatsapp[Symbol.asyncDispose]();
});

const keyOf = (app: TestApp) => keys.get(app) ?? "";

async function send(app: TestApp, recipient: string): Promise<string> {
  return (await start(app, keyOf(app), recipient, { channel: "whatsapp" })).body.verification_id;
}

const eventsOf = (app: TestApp, subject: string, count: number) =>
  eventsOnce(count, rest, app, { key: keyOf(app) }, { subject });

/** Meta's report, which it repeats until the message is recorded. */
async function report(recipient: string, status: string): Promise<void> {
  await vi.waitFor(async () => {
    const id = whatsapp.ids.get(recipient);
    const statuses = [
      { id, status, timestamp: String(Math.floor(Date.now() / 1_000)), biz_opaque_callback_data: "byond" },
    ];
    const body = JSON.stringify({ entry: [{ changes: [{ value: { statuses } }] }] });
    const signature = `sha256=${createHmac("sha256", appSecret).update(body).digest("hex")}`;
    const headers = { "Content-Type": "application/json", "X-Hub-Signature-256": signature };
    const response = await fetch(`${reporting.url}/webhooks/whatsapp`, { method: "POST", headers, body });
    expect([id !== undefined, response.status]).toEqual([true, 200]);
  }, 5_000);
}

const statusesOf = (
  events: readonly { readonly data: { readonly deliveries: readonly { readonly status: string }[] } }[],
) => events.map(({ data }) => data.deliveries.map(({ status }) => status).join());

test("a WhatsApp message is delivered when its first report says so, and not when it is accepted", async () => {
  const recipient = "+6591230001";
  const id = await send(reporting, recipient);
  await report(recipient, "sent");
  expect(typesOf(await eventsOf(reporting, id, 1))).toEqual(["verification.started"]);
  for (const status of ["delivered", "delivered", "read"]) {
    await report(recipient, status);
  }
  const { body } = await reporting.rest("POST", `/verify/${id}/cancel`, { key: keyOf(reporting) });
  expect(body.deliveries[0].status).toBe("read");
  const events = await eventsOf(reporting, id, 3);
  expect(typesOf(events)).toEqual(["verification.started", "verification.delivered", "verification.canceled"]);
  expect(statusesOf(events)).toEqual(["queued", "delivered", "read"]);
});

test("a WhatsApp message whose report says so has failed", async () => {
  const recipient = "+6591230002";
  const id = await send(reporting, recipient);
  await report(recipient, "failed");
  const events = await eventsOf(reporting, id, 2);
  expect(typesOf(events)).toEqual(["verification.started", "verification.delivery_failed"]);
  expect(statusesOf(events)).toEqual(["queued", "failed"]);
});

test("without reports, a WhatsApp message is delivered when it is accepted", async () => {
  const id = await send(silent, "+6591230003");
  expect(typesOf(await eventsOf(silent, id, 2))).toEqual(["verification.started", "verification.delivered"]);
});

test("a message that the provider refuses has failed, once, after the attempts that it is worth", async () => {
  const recipient = "+6591230004";
  const refusal = { status: 400, body: JSON.stringify({ error: { code: 131026 } }) };
  whatsapp.troubles.set(recipient, ["hang up", refusal]);
  const id = await send(reporting, recipient);
  const events = await eventsOf(reporting, id, 2);
  expect(typesOf(events)).toEqual(["verification.started", "verification.delivery_failed"]);
  expect(events[1].data.deliveries).toMatchObject([
    { status: "failed", attempts: 2, error: "the recipient cannot receive WhatsApp messages (400, code 131026)" },
  ]);
  expect(events[1].data.status).toBe("pending");
});

test("a message that waits when its verification is canceled is not delivered", async () => {
  const recipient = "+6591230005";
  whatsapp.troubles.set(recipient, ["silence"]);
  const id = await send(reporting, recipient);
  await reporting.rest("POST", `/verify/${id}/cancel`, { key: keyOf(reporting) });
  const events = await eventsOf(reporting, id, 3);
  expect(typesOf(events)).toEqual(["verification.started", "verification.canceled", "verification.delivery_failed"]);
  expect(statusesOf(events).at(-1)).toBe("expired");
});
