import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ErrorMeaning } from "../../../src/capabilities/channels/error-meaning.ts";
import { plivoKind } from "../../../src/capabilities/channels/plivo/plivo.ts";
import { expectedResult } from "./expected-result.ts";
import { type FakeAnswer, HttpFake } from "./http-fake.ts";
import { fixedNow } from "./messages.ts";
import { callbackUrl, providerUnderTest } from "./provider-under-test.ts";

const authId = "MAXXXXXXXXXXXXXXXXXX";
const authToken = "the auth token";
const uuid = "db3ce55a-7f1d-11e1-8ea7-1231380bc196";

let plivo: HttpFake;
beforeAll(async () => {
  plivo = await HttpFake.open();
});
afterAll(async () => {
  await plivo.close();
});
beforeEach(() => {
  plivo.requests.splice(0);
});

function provider(change: object = {}) {
  const apiUrl = encodeURIComponent(plivo.url);
  const dsn = `plivo://${authId}:${encodeURIComponent(authToken)}@?from=+15550100&api_url=${apiUrl}`;
  return providerUnderTest({ kind: plivoKind, dsn, ...change });
}

/** "Send a message" and "Make an outbound call". */
const queued: FakeAnswer = {
  status: 202,
  body: `{"message":"message(s) queued","message_uuid":["${uuid}"],"api_id":"db342550-7f1d-11e1-8ea7-1231380bc196"}`,
};
const fired: FakeAnswer = {
  status: 201,
  body: `{"message":"call fired","request_uuid":"${uuid}","api_id":"97ceeb52-58b6-11e1-86da-77300b68f8bb"}`,
};

test("a text message is sent in the documented form", async () => {
  plivo.answer = queued;
  expect(await provider().send()).toEqual({ kind: "sent", providerMessageId: uuid, awaitsReceipt: true, segments: 1 });
  const [request] = plivo.requests;
  expect(request?.path).toBe(`/v1/Account/${authId}/Message/`);
  expect(request?.headers.authorization).toBe(`Basic ${Buffer.from(`${authId}:${authToken}`).toString("base64")}`);
  expect(plivo.lastJson).toEqual({
    src: "+15550100",
    dst: "+6591234567",
    text: "493817 is your Acme verification code. It expires in 5 minutes. Do not share it.",
    type: "sms",
    message_expiry: 300,
    url: callbackUrl,
    method: "POST",
  });
});

test("without PUBLIC_URL a text message is sent and no report awaited, and a call cannot be made", async () => {
  plivo.answer = queued;
  const withoutUrl = { callbackUrl: undefined };
  expect(await provider(withoutUrl).send()).not.toHaveProperty("awaitsReceipt");
  expect(plivo.lastJson).not.toHaveProperty("url");
  expect(provider(withoutUrl).provider.callback).toBeUndefined();
  const calls = provider({ ...withoutUrl, channel: "voice" });
  expect(await calls.send()).toEqual({
    kind: "failed",
    reason: "calls over Plivo need PUBLIC_URL",
    provider: "unknown",
    elsewhere: true,
  });
  expect(calls.logLines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "provider_needs_public_url", lane: "voice", provider: "plivo" },
  ]);
});

test("no report is awaited of countries whose carriers report none", async () => {
  plivo.answer = queued;
  expect(await provider().send({ recipient: "+12025550123" })).not.toHaveProperty("awaitsReceipt");
  expect(await provider().send({ recipient: "+16135550123" })).not.toHaveProperty("awaitsReceipt");
  expect(plivo.lastJson).toHaveProperty("url");
});

test("Plivo drops a message when its code has expired", async () => {
  plivo.answer = queued;
  await provider().send({ expiresAt: new Date(fixedNow.getTime() + 1_000) });
  expect(plivo.lastJson).toMatchObject({ message_expiry: 5 });
  await provider().send({ expiresAt: new Date(fixedNow.getTime() + 86_400_000) });
  expect(plivo.lastJson).toMatchObject({ message_expiry: 10_799 });
});

/** Signed as Plivo signs requests of the Voice API. */
function signed(url: string, fields: Readonly<Record<string, string>>, token = authToken) {
  const { origin, pathname, search } = new URL(url);
  const nonce = "05429567804466091622";
  const form = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
  const query = decodeURIComponent(search || "?");
  const text = `${origin}${pathname}${query}${search === "" ? "" : "."}${form.flat().join("")}.${nonce}`;
  const signature = createHmac("sha256", token).update(text).digest("base64");
  return {
    url,
    body: Buffer.from(new URLSearchParams(fields).toString()),
    headers: { "x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": nonce },
  };
}

describe("a call", () => {
  const call = provider.bind(undefined, { channel: "voice" });

  test("says the code when it is answered, which its request does not contain", async () => {
    plivo.answer = fired;
    expect(await call().send()).toEqual({ kind: "sent", providerMessageId: uuid, awaitsReceipt: true });
    expect(plivo.requests[0]?.path).toBe(`/v1/Account/${authId}/Call/`);
    expect(plivo.lastJson).toEqual({
      from: "+15550100",
      to: "+6591234567",
      answer_url: expect.stringMatching(/^https:\/\/byond\.example\.com\/webhooks\/sms\/provider\?say=[\w.-]+$/),
      answer_method: "POST",
      hangup_url: callbackUrl,
      hangup_method: "POST",
    });
    const { answer_url: url } = plivo.lastJson as { readonly answer_url: string };
    const request = signed(url, { CallUUID: "x", CallStatus: "in-progress", RequestUUID: uuid });
    const words =
      "Your Acme verification code is: four, nine, three, eight, one, seven. Once more: four, nine, three, eight, one, seven. It expires in 5 minutes.";
    const answer = (body: string) => ({
      kind: "receipts",
      receipts: [],
      answer: {
        contentType: "application/xml",
        body: `<?xml version="1.0" encoding="UTF-8"?><Response>${body}<Hangup/></Response>`,
      },
    });
    const answering = call();
    expect(await answering.callback(request)).toEqual(answer(`<Speak language="en-US">${words}</Speak>`));
    expect(answering.recorded).toEqual([{ messageId: uuid, state: "delivered", at: fixedNow, error: null }]);
    // Plivo is known to ask twice.
    expect(await call().callback(request)).toEqual(answer(`<Speak language="en-US">${words}</Speak>`));
    const afterExpiry = () => new Date(fixedNow.getTime() + 301_000);
    expect(await provider({ channel: "voice", now: afterExpiry }).callback(request)).toEqual(answer(""));
    const forged = signed(`${callbackUrl}?say=${"a".repeat(100)}`, { CallUUID: "x" });
    expect(await call().callback(forged)).toEqual(answer(""));
  });

  test("is reported when it ends", async () => {
    const fields = { RequestUUID: uuid, CallUUID: uuid, CallStatus: "no-answer", HangupCauseCode: "3000" };
    expect(await call().callback(signed(callbackUrl, fields))).toEqual({
      kind: "receipts",
      receipts: [{ messageId: uuid, state: "failed", at: fixedNow, error: "the call was not answered (code 3000)" }],
    });
  });

  test("is not reported by a request whose body is not signed", async () => {
    const { headers, body } = signedMessageReport();
    expect(await call().callback({ body, headers })).toEqual({ kind: "unsigned" });
  });
});

/** Signed as Plivo's messaging documentation has it: over the URL and the nonce. */
function signedMessageReport(token = authToken) {
  const nonce = "12345";
  return {
    body: Buffer.from(`MessageUUID=${uuid}&Status=undelivered&ErrorCode=200&To=6591234567`),
    headers: {
      "x-plivo-signature-v2": createHmac("sha256", token).update(`${callbackUrl}${nonce}`).digest("base64"),
      "x-plivo-signature-v2-nonce": nonce,
    },
  };
}

describe("a report of a text message", () => {
  const receipts = [
    {
      messageId: uuid,
      state: "failed",
      at: fixedNow,
      error: "the recipient opted out (code 200)",
      undeliverable: true,
    },
  ];

  test("is taken from a signed request, as often as it comes", async () => {
    expect(await provider().callback(signedMessageReport())).toEqual({ kind: "receipts", receipts });
    expect(await provider().callback(signedMessageReport())).toEqual({ kind: "receipts", receipts });
    const fields = { MessageUUID: uuid, Status: "undelivered", ErrorCode: "200" };
    expect(await provider().callback(signed(callbackUrl, fields))).toEqual({ kind: "receipts", receipts });
  });

  test("is refused without a signature, with another token's, and for another URL", async () => {
    const { body } = signedMessageReport();
    expect(await provider().callback({ body })).toEqual({ kind: "unsigned" });
    expect(await provider().callback(signedMessageReport("another token"))).toEqual({ kind: "unsigned" });
    const elsewhere = { ...signedMessageReport(), url: "https://byond.example.com/webhooks/sms/other" };
    expect(await provider().callback(elsewhere)).toEqual({ kind: "unsigned" });
    const changed = signed(callbackUrl, { MessageUUID: uuid, Status: "delivered" });
    expect(await provider().callback({ ...changed, body })).toEqual({ kind: "unsigned" });
  });

  test("about something else means nothing", async () => {
    expect(await provider().callback(signed(callbackUrl, { Event: "new" }))).toEqual({
      kind: "receipts",
      receipts: [],
    });
  });
});

describe("Plivo answering every documented status", () => {
  const error = (text: string) => `{"api_id":"97ceeb52-58b6-11e1-86da-77300b68f8bb","error":"${text}: +6591234567"}`;
  test.for<readonly [status: number, text: string, effect: ErrorMeaning["effect"], afterMs?: number]>([
    [400, "invalid_parameter", "fail-here"],
    [401, "authentication_failed", "retry-provider"],
    [402, "insufficient balance", "retry-provider"],
    [403, "geo permission", "fail-here"],
    [404, "not_found", "retry-provider"],
    [405, "method not allowed", "retry-provider"],
    [429, "rate_limit_exceeded", "retry-provider", 1_000],
    [500, "server error", "retry-provider"],
    [503, "", "retry-provider"],
    [302, "", "retry-provider"],
  ])("%i %s", async ([status, text, effect, afterMs]) => {
    plivo.answer = { status, body: error(text) };
    expect(await provider().send()).toEqual(expectedResult(effect, String(status), afterMs));
    expect(await provider({ channel: "voice" }).send()).toEqual(expectedResult(effect, String(status), afterMs));
  });

  test("202 with a number that it does not know", async () => {
    plivo.answer = {
      status: 202,
      body: '{"api_id":"1","invalid_number":["6591234567"],"message":"message(s) queued","message_uuid":[]}',
    };
    expect(await provider().send()).toEqual(expectedResult("undeliverable", "202"));
  });

  test("202 without an id", async () => {
    plivo.answer = { status: 202, body: "{}" };
    expect(await provider().send()).toEqual(expectedResult("retry-provider", "202"));
  });

  test("no answer", async () => {
    plivo.answer = "hang up";
    expect(await provider().send()).toEqual({
      kind: "retry",
      reason: "the provider cannot be reached",
      provider: "fails",
      mayBeSent: true,
    });
  });
});

test.each([
  ["plivo://?from=+15550100", "auth id"],
  [`plivo://${authId}@?from=+15550100`, "auth token"],
  [`plivo://${authId}:@?from=+15550100`, "auth token"],
  ["plivo://a%2Fb:secret@?from=+15550100", "auth id"],
  [`plivo://${authId}:secret@?from=+15550100&region=eu`, "unknown parameter"],
  [`plivo://${authId}:secret@`, "sender"],
  [`plivo://${authId}:secret@api.plivo.com?from=+15550100`, "auth id"],
])("the DSN %s is refused, and what is wrong is said without the secret", (dsn, problem) => {
  const configure = () => providerUnderTest({ kind: plivoKind, dsn });
  expect(configure).toThrow(TypeError);
  expect(configure).toThrow(problem);
  expect(configure).not.toThrow("secret");
});

test("the DSN without a host has Plivo's address", () => {
  expect(providerUnderTest({ kind: plivoKind, dsn: `plivo://${authId}:t@?from=ACME` }).address).toBe("api.plivo.com");
});
