import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { signBody } from "../../../src/crypto/sign-body.ts";
import { useTestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";
import { HttpFake } from "./http-fake.ts";

/** Text messages over Twilio, and calls over an adapter, from the start of a verification to the provider's report. */
const twilio = await HttpFake.open();
const adapter = await HttpFake.open();
afterAll(() => Promise.all([twilio.close(), adapter.close()]));

const port = await freePort();
const publicUrl = `http://127.0.0.1:${port}`;
const sid = `AC${"0123456789abcdef".repeat(2)}`;
const token = "fedcba9876543210fedcba9876543210";
const secret = "a secret of the adapter that is long enough";
const { delivery } = parseConfig({
  SMS_URL: `twilio://${sid}:${token}@?from=+15550100&api_url=${encodeURIComponent(twilio.url)}`,
  VOICE_URL: `${adapter.url}/messages`,
  PROVIDER_SECRET: secret,
});
const app = useTestApp({ delivery, port, publicUrl });

let key: string;
beforeAll(async () => {
  // Only an account whose address is verified sends messages that leave the server.
  const { session, email } = await app.signUp();
  await app.rest("POST", "/auth/verify-email", { session, body: {} });
  const { code } = await app.messageTo(email);
  await app.rest("POST", "/auth/verify-email/check", { session, body: { code } });
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key", mode: "live" } });
  key = body.key;
});

let recipients = 0;

/** Starts a verification, and waits until its message was sent. Returns what reads its delivery. */
async function sent(channel: "sms" | "voice") {
  recipients += 1;
  const recipient = `+659123460${recipients}`;
  const { status, body } = await app.rest("POST", "/verify/start", { key, body: { channel, recipient } });
  expect(status).toBe(201);
  const read = async () => (await app.rest("GET", `/verify/${body.verification_id}`, { key })).body.deliveries[0];
  await expect.poll(async () => (await read())?.status).toBe("sent");
  return read;
}

async function post(path: string, body: string, headers: Readonly<Record<string, string>>) {
  const response = await fetch(app.url + path, { method: "POST", body, headers });
  return response.status;
}

describe("Twilio's report", () => {
  const path = "/webhooks/sms/twilio";

  function signed(form: Readonly<Record<string, string>>, { key = token, url = publicUrl + path } = {}) {
    const fields = Object.entries(form).sort(([one], [other]) => (one < other ? -1 : 1));
    return createHmac("sha1", key)
      .update([url, ...fields.flat()].join(""))
      .digest("base64");
  }

  function report(form: Readonly<Record<string, string>>, signature = signed(form), query = "") {
    return post(path + query, new URLSearchParams(form).toString(), {
      "X-Twilio-Signature": signature,
      "Content-Type": "application/x-www-form-urlencoded",
    });
  }

  const form = (MessageSid: string, MessageStatus: string, more = {}) => ({
    MessageSid,
    MessageStatus,
    To: "+6591234601",
    From: "+15550100",
    AccountSid: sid,
    ApiVersion: "2010-04-01",
    ...more,
  });

  test("moves a delivery from sent to delivered, and shows the provider and the parts", async () => {
    twilio.answer = { status: 201, body: '{"sid":"SM1"}' };
    const read = await sent("sms");
    expect(await read()).toMatchObject({ provider: "twilio", provider_message_id: "SM1", segments: 1 });
    expect(await report(form("SM1", "queued"))).toBe(200);
    expect(await report(form("SM1", "sent"))).toBe(200);
    expect(await read()).toMatchObject({ status: "sent" });
    expect(await report(form("SM1", "delivered"))).toBe(200);
    expect(await read()).toMatchObject({ status: "delivered", error: null });
  });

  test("of a failure has a reason in our words", async () => {
    twilio.answer = { status: 201, body: '{"sid":"SM2"}' };
    const read = await sent("sms");
    expect(await report(form("SM2", "undelivered", { ErrorCode: "30003" }))).toBe(200);
    expect(await read()).toMatchObject({ status: "failed", error: "the phone cannot be reached (code 30003)" });
  });

  test("is refused without the right signature over the public address and the whole form", async () => {
    twilio.answer = { status: 201, body: '{"sid":"SM3"}' };
    const read = await sent("sms");
    const real = form("SM3", "delivered");
    expect(await report(real, "")).toBe(401);
    expect(await report(real, signed(real, { key: "another token" }))).toBe(401);
    expect(await report(real, signed(form("SM3", "failed")))).toBe(401);
    expect(await report(real, signed(real, { url: `https://evil.example${path}` }))).toBe(401);
    expect(await report(real, signed(real), "?x=1")).toBe(401);
    expect(await report({ ...real, Extra: "1" }, signed(real))).toBe(401);
    expect(await read()).toMatchObject({ status: "sent" });
    expect(app.logLines.join("")).toContain("provider_signature_refused");
    expect(app.logLines.join("")).not.toContain(token);
    // Twilio leaves out the port in what it signs, now and then.
    expect(await report(real, signed(real, { url: `http://127.0.0.1${path}` }))).toBe(200);
    expect(await read()).toMatchObject({ status: "delivered" });
  });

  test("of a message that is not known is answered 503; of another channel's it is not known", async () => {
    expect(await report(form("SM9", "delivered"))).toBe(503);
    adapter.answer = { status: 202, body: '{"message_id":"SM4","reports_delivery":true}' };
    const read = await sent("voice");
    expect(await report(form("SM4", "delivered"))).toBe(503);
    expect(await read()).toMatchObject({ status: "sent" });
  });

  test("is refused if it is longer than reports are, or has more fields: sorting them would take time", async () => {
    expect(await post(path, "a".repeat(32 * 1024 + 1), { "X-Twilio-Signature": "x" })).toBe(413);
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, ""]));
    const [most, tooMany] = [fields(200), fields(201)];
    expect([await report(most, signed(most)), await report(tooMany, signed(tooMany))]).toEqual([400, 401]);
  });

  test("without its fields is answered 400, and only POST is served", async () => {
    const other = { AccountSid: sid };
    expect(await report(other, signed(other))).toBe(400);
    const response = await fetch(app.url + path);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("an adapter's report", () => {
  const path = "/webhooks/voice/adapter";

  function report(content: object | string, { key = secret, at = app.time.now() } = {}) {
    const body = typeof content === "string" ? content : JSON.stringify(content);
    return post(path, body, { "Byond-Signature": signBody([key], body, at), "Content-Type": "application/json" });
  }

  async function sentCall(id: string) {
    adapter.answer = { status: 202, body: JSON.stringify({ message_id: id, reports_delivery: true }) };
    return sent("voice");
  }

  test("moves a delivery to delivered or failed", async () => {
    const one = await sentCall("call-1");
    const other = await sentCall("call-2");
    expect(await report({ message_id: "call-1", status: "delivered" })).toBe(200);
    expect(await report({ message_id: "call-2", status: "failed", error: "no_answer" })).toBe(200);
    expect(await one()).toMatchObject({ status: "delivered", provider: "adapter", segments: null });
    expect(await other()).toMatchObject({
      status: "failed",
      error: "the provider could not deliver the message (no_answer)",
    });
  });

  test("is refused without the right signature, and when it was signed too long ago", async () => {
    const read = await sentCall("call-3");
    const content = { message_id: "call-3", status: "delivered" };
    expect(await report(content, { key: "another secret" })).toBe(401);
    expect(await report(content, { at: new Date(app.time.now().getTime() - 301_000) })).toBe(401);
    expect(await report(content, { at: new Date(app.time.now().getTime() + 301_000) })).toBe(401);
    expect(await post(path, JSON.stringify(content), {})).toBe(401);
    expect(await read()).toMatchObject({ status: "sent" });
  });

  test("cannot be a message that was signed for the adapter", async () => {
    const read = await sentCall("call-4");
    const message = adapter.requests.at(-1);
    const headers = { "Byond-Signature": String(message?.headers["byond-signature"]) };
    expect(await post(path, message?.body ?? "", headers)).toBe(400);
    expect(await read()).toMatchObject({ status: "sent" });
  });

  test.each([["{"], ["[]"], ['{"message_id":"a b","status":"delivered"}'], ['{"message_id":"call","status":"read"}']])(
    "of %s is answered 400",
    async (content) => {
      expect(await report(content)).toBe(400);
    },
  );
});

test("a provider of one channel has no page in the other", async () => {
  for (const path of ["/webhooks/sms/adapter", "/webhooks/voice/twilio", "/webhooks/sms/vonage"]) {
    expect(await post(path, "", {})).toBe(404);
  }
});

test("without PUBLIC_URL Twilio has no page: its signature covers the address", async () => {
  await using other = await app.startAnother({ port: 0, publicUrl: undefined });
  const response = await fetch(`${other.url}/webhooks/sms/twilio`, { method: "POST", body: "" });
  expect(response.status).toBe(404);
});
