import { createHash, createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { useTestApp } from "../../support/app.ts";
import { freePort } from "../../support/free-port.ts";
import { type FakeAnswer, HttpFake } from "./http-fake.ts";
import { acceptedMessage, problem } from "./vonage-answers.ts";

/**
 * Text messages over Vonage, Plivo and SNS, in this order of preference, and calls over Plivo, from the start of a verification to
 * the provider's report.
 */
const vonage = await HttpFake.open();
const plivo = await HttpFake.open();
const sns = await HttpFake.open();
afterAll(() => Promise.all([vonage.close(), plivo.close(), sns.close()]));

const port = await freePort();
const publicUrl = `http://127.0.0.1:${port}`;
const signatureSecret = "signature-secret";
const authToken = "auth-token";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const vonageKey = Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })).toString("base64url");
const apiUrl = (fake: HttpFake) => `api_url=${encodeURIComponent(fake.url)}`;
const plivoUrl = `plivo://MAXXXXXXXXXXXXXXXXXX:${authToken}@?from=+15550100&${apiUrl(plivo)}`;
const { delivery } = parseConfig({
  SMS_URL: [
    `vonage://78d335fa-323d-4114-9c3d-d6f0d48968cf:${vonageKey}@?from=ACME&signature_secret=${signatureSecret}&${apiUrl(vonage)}`,
    plivoUrl,
    `sns://AKIDEXAMPLE:secret@?region=eu-west-1&${apiUrl(sns)}`,
  ].join(" "),
  VOICE_URL: plivoUrl,
});
const app = useTestApp({ delivery, port, publicUrl });

let key: string;
beforeAll(async () => {
  const { session, email } = await app.signUp();
  await app.rest("POST", "/auth/verify-email", { session, body: {} });
  const { code } = await app.messageTo(email);
  await app.rest("POST", "/auth/verify-email/check", { session, body: { code } });
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key", mode: "live" } });
  key = body.key;
});

const refusedByVonage = problem(422, "/messages#1250", "Unroutable");
const queued = (id: string): FakeAnswer => ({ status: 202, body: JSON.stringify({ message_uuid: [id], api_id: "1" }) });
const published = (id: string): FakeAnswer => ({
  status: 200,
  body: `<PublishResponse><PublishResult><MessageId>${id}</MessageId></PublishResult></PublishResponse>`,
});

let recipients = 0;

/** Starts a verification, and waits until its message was sent. Returns what its delivery shows. */
async function sent(channel: "sms" | "voice", fields: object = {}) {
  recipients += 1;
  const recipient = `+659123450${recipients}`;
  const { body: started } = await app.rest("POST", "/verify/start", { key, body: { channel, recipient, ...fields } });
  const view = async () => (await app.rest("GET", `/verify/${started.verification_id}`, { key })).body;
  const delivery = async () => (await view()).deliveries[0];
  await expect.poll(async () => (await delivery())?.status).toBe("sent");
  return Object.assign(delivery, { view, recipient });
}

async function post(path: string, body: string, headers: Readonly<Record<string, string>>) {
  const response = await fetch(app.url + path, { method: "POST", body, headers });
  return { status: response.status, text: await response.text() };
}

async function reportOfVonage(event: object, { secret = signatureSecret, signedAt = app.time.now() } = {}) {
  const body = JSON.stringify(event);
  const claims = { payload_hash: createHash("sha256").update(body).digest("hex"), api_key: "abcd1234" };
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuedAt(signedAt);
  const headers = {
    Authorization: `Bearer ${await jwt.sign(Buffer.from(secret))}`,
    "Content-Type": "application/json",
  };
  return post("/webhooks/sms/vonage", body, headers);
}

function reportOfPlivo(path: string, fields: Readonly<Record<string, string>>, token = authToken) {
  const [pathname = "", query = ""] = path.split("?");
  const form = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
  const url = `${publicUrl}${pathname}?${query}${query === "" ? "" : "."}`;
  const signature = createHmac("sha256", token)
    .update(`${url}${form.flat().join("")}.nonce`)
    .digest("base64");
  return post(path, new URLSearchParams(fields).toString(), {
    "Content-Type": "application/x-www-form-urlencoded",
    "X-Plivo-Signature-V3": signature,
    "X-Plivo-Signature-V3-Nonce": "nonce",
  });
}

describe("Vonage", () => {
  const event = (id: string, change: object = {}) => ({
    message_uuid: id,
    status: "delivered",
    timestamp: app.time.now().toISOString(),
    channel: "sms",
    ...change,
  });

  test("reports a delivery, once or twice, and nothing that is forged or stale", async () => {
    const id = randomUUID();
    vonage.answer = acceptedMessage(id);
    const delivery = await sent("sms");
    expect(await reportOfVonage(event(id), { secret: "another" })).toMatchObject({ status: 401 });
    const stale = new Date(app.time.now().getTime() - 7_200_000);
    expect(await reportOfVonage(event(id), { signedAt: stale })).toMatchObject({ status: 401 });
    expect(await delivery()).toMatchObject({ status: "sent", provider: "vonage", provider_message_id: id });
    expect(await reportOfVonage(event(id))).toEqual({ status: 200, text: "" });
    expect(await delivery()).toMatchObject({ status: "delivered" });
    const late = event(id, { status: "rejected", error: { title: 1330 } });
    expect(await reportOfVonage(late)).toEqual({ status: 200, text: "" });
    expect(await reportOfVonage(event(id))).toEqual({ status: 200, text: "" });
    expect(await delivery()).toMatchObject({ status: "delivered" });
  });

  test("reports why a message failed", async () => {
    const id = randomUUID();
    vonage.answer = acceptedMessage(id);
    const delivery = await sent("sms");
    const error = { type: "https://developer.vonage.com/api-errors/messages#1240", title: "1240" };
    await reportOfVonage(event(id, { status: "rejected", error }));
    expect(await delivery()).toMatchObject({
      status: "failed",
      error: "the recipient is on a block list or opted out (code 1240)",
    });
  });

  test("takes a failure back that it reported before the delivery", async () => {
    const id = randomUUID();
    vonage.answer = acceptedMessage(id);
    const delivery = await sent("sms");
    const recipient = `+659123450${recipients}`;
    const code = async () =>
      (await app.rest("POST", "/verify/start", { key, body: { channel: "sms", recipient } })).body.error?.code;
    const error = { type: "https://developer.vonage.com/api-errors/messages#1240", title: "1240" };
    await reportOfVonage(event(id, { status: "rejected", error }));
    expect([(await delivery()).status, await code()]).toEqual(["failed", "undeliverable"]);
    await reportOfVonage(event(id));
    expect(await delivery()).toMatchObject({ status: "delivered", error: null });
    await reportOfVonage(event(id, { status: "rejected", error }));
    expect(await delivery()).toMatchObject({ status: "delivered", error: null });
    expect(await code()).toBeUndefined();
  });

  test("ends a fallback that waits with the report of a delivery, and has it taken at once with that of a failure", async () => {
    const fields = { fallback: [{ channel: "voice", after_seconds: 600 }] };
    const [arrived, refused] = [randomUUID(), randomUUID()];
    vonage.answer = acceptedMessage(arrived);
    const first = await sent("sms", fields);
    expect((await first.view()).fallback).toMatchObject([{ status: "waiting" }]);
    await reportOfVonage(event(arrived));
    expect((await first.view()).fallback).toMatchObject([{ status: "skipped", reason: "delivered" }]);

    vonage.answer = acceptedMessage(refused);
    plivo.answer = { status: 201, body: JSON.stringify({ request_uuid: randomUUID(), message: "call fired" }) };
    const calls = plivo.requests.length;
    const second = await sent("sms", fields);
    await reportOfVonage(event(refused, { status: "rejected", error: { title: "1240" } }));
    await expect.poll(() => plivo.requests.length).toBe(calls + 1);
    expect(plivo.lastJson).toMatchObject({ to: second.recipient });
    expect((await second.view()).fallback).toMatchObject([{ status: "taken" }]);
    expect((await first.view()).deliveries).toHaveLength(1);
  });

  test("is asked to report again what comes before its message is recorded, for a minute", async () => {
    expect(await reportOfVonage(event(randomUUID()))).toMatchObject({ status: 503 });
    const timestamp = new Date(app.time.now().getTime() - 61_000).toISOString();
    expect(await reportOfVonage(event(randomUUID(), { timestamp }))).toMatchObject({ status: 200 });
  });
});

describe("Plivo", () => {
  test("gets what Vonage cannot route, and reports it", async () => {
    const id = randomUUID();
    vonage.answer = refusedByVonage;
    plivo.answer = queued(id);
    const delivery = await sent("sms");
    expect(await delivery()).toMatchObject({ provider: "plivo", provider_message_id: id });
    const path = "/webhooks/sms/plivo";
    const fields = { MessageUUID: id, Status: "undelivered", ErrorCode: "50", To: "6591234567" };
    expect(await reportOfPlivo(path, fields, "another")).toMatchObject({ status: 401 });
    expect(await delivery()).toMatchObject({ status: "sent" });
    expect(await reportOfPlivo(path, fields)).toEqual({ status: 200, text: "" });
    expect(await reportOfPlivo(path, fields)).toEqual({ status: 200, text: "" });
    expect(await delivery()).toMatchObject({
      status: "failed",
      error: "the number is unknown, or cannot receive text messages (code 50)",
    });
  });

  test("asks for the words of a call, and reports that it was taken", async () => {
    const id = randomUUID();
    plivo.answer = { status: 201, body: JSON.stringify({ request_uuid: id, message: "call fired" }) };
    const delivery = await sent("voice");
    const { answer_url: answerUrl, hangup_url: hangupUrl } = plivo.lastJson as Readonly<Record<string, string>>;
    expect(hangupUrl).toBe(`${publicUrl}/webhooks/voice/plivo`);
    const path = answerUrl?.slice(publicUrl.length) ?? "";
    const fields = { CallUUID: id, RequestUUID: id, CallStatus: "in-progress" };
    expect(await reportOfPlivo(path, fields, "another")).toMatchObject({ status: 401, text: "" });
    expect(await reportOfPlivo(path, fields)).toMatchObject({
      status: 200,
      text: expect.stringMatching(
        /^<\?xml .*<Speak language="en-US">Your Acme verification code is: [a-z]+, .*<\/Speak><Hangup\/><\/Response>$/,
      ),
    });
    expect(await delivery()).toMatchObject({ status: "delivered" });
    const ended = { ...fields, CallStatus: "completed", HangupCauseCode: "4000" };
    expect(await reportOfPlivo("/webhooks/voice/plivo", ended)).toMatchObject({ status: 200 });
    expect(await delivery()).toMatchObject({ status: "delivered" });
  });
});

test("SNS gets what neither takes, and has no page", async () => {
  const id = randomUUID();
  vonage.answer = refusedByVonage;
  plivo.answer = { status: 403, body: '{"error":"geo"}' };
  sns.answer = published(id);
  const delivery = await sent("sms");
  expect(await delivery()).toMatchObject({ status: "sent", provider: "sns", provider_message_id: id });
  expect(await post("/webhooks/sms/sns", "", {})).toMatchObject({ status: 404 });
});

test("the log has neither a code, nor a number, nor what the providers share with the server", () => {
  expect(app.logLines.join("\n")).not.toMatch(/9123450|verification code is|signature-secret|auth-token/);
});
