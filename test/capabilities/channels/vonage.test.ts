import { createHash, generateKeyPairSync } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ErrorMeaning } from "../../../src/capabilities/channels/error-meaning.ts";
import { vonageKind } from "../../../src/capabilities/channels/vonage/vonage.ts";
import { expectedResult } from "./expected-result.ts";
import { HttpFake } from "./http-fake.ts";
import { fixedNow } from "./messages.ts";
import { callbackUrl, providerUnderTest } from "./provider-under-test.ts";
import { acceptedMessage, createdCall, genericErrors, messageErrors, problem } from "./vonage-answers.ts";

const applicationId = "78d335fa-323d-4114-9c3d-d6f0d48968cf";
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const credentials = `${applicationId}:${Buffer.from(pem).toString("base64url")}`;
const uuid = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
const signatureSecret = "the signature secret of the account";

let vonage: HttpFake;
beforeAll(async () => {
  vonage = await HttpFake.open();
});
afterAll(async () => {
  await vonage.close();
});
beforeEach(() => {
  vonage.requests.splice(0);
});

function provider(query = `from=ACME&signature_secret=${encodeURIComponent(signatureSecret)}`, change: object = {}) {
  const dsn = `vonage://${credentials}@?api_url=${encodeURIComponent(vonage.url)}&${query}`;
  return providerUnderTest({ kind: vonageKind, dsn, ...change });
}

test("a text message is sent in the documented form, with the token of the application", async () => {
  vonage.answer = acceptedMessage(uuid);
  expect(await provider().send()).toEqual({
    kind: "sent",
    providerMessageId: uuid,
    awaitsReceipt: true,
    segments: 1,
  });
  const [request] = vonage.requests;
  expect(request?.path).toBe("/v1/messages");
  expect(vonage.lastJson).toEqual({
    message_type: "text",
    channel: "sms",
    to: "6591234567",
    from: "ACME",
    text: "493817 is your Acme verification code. It expires in 5 minutes. Do not share it.",
    ttl: 300,
    client_ref: "dlv_1",
    webhook_url: callbackUrl,
    webhook_version: "v1",
  });
  const token = request?.headers.authorization?.replace("Bearer ", "") ?? "";
  const { payload } = await jwtVerify(token, publicKey, { algorithms: ["RS256"], currentDate: fixedNow });
  const iat = fixedNow.getTime() / 1_000;
  expect(payload).toEqual({ application_id: applicationId, jti: expect.any(String), iat, exp: iat + 900 });
});

test("a call says the code in the documented form", async () => {
  vonage.answer = createdCall(uuid);
  const result = await provider("from=+15550100&signature_secret=s", { channel: "voice" }).send();
  expect(result).toEqual({ kind: "sent", providerMessageId: uuid, awaitsReceipt: true });
  expect(vonage.requests[0]?.path).toBe("/v1/calls");
  expect(vonage.lastJson).toEqual({
    to: [{ type: "phone", number: "6591234567" }],
    from: { type: "phone", number: "15550100" },
    ncco: [
      {
        action: "talk",
        text: "Your Acme verification code is: four, nine, three, eight, one, seven. Once more: four, nine, three, eight, one, seven. It expires in 5 minutes.",
        language: "en-US",
      },
    ],
    event_url: [callbackUrl],
    event_method: "POST",
  });
});

test.each([
  ["without PUBLIC_URL", "from=ACME&signature_secret=s", { callbackUrl: undefined }],
  ["without the signature secret", "from=ACME", {}],
])("%s no report is asked for and awaited", async (_, query, change) => {
  vonage.answer = acceptedMessage(uuid);
  expect(await provider(query, change).send()).not.toHaveProperty("awaitsReceipt");
  expect(vonage.lastJson).not.toHaveProperty("webhook_url");
});

test("Vonage drops a message when its code has expired, 20 seconds at the earliest", async () => {
  vonage.answer = acceptedMessage(uuid);
  await provider().send({ expiresAt: new Date(fixedNow.getTime() + 5_000) });
  expect(vonage.lastJson).toMatchObject({ ttl: 20 });
});

/** What each documented error means, apart from those that are about the request (`fail-here`). */
const effects: readonly (readonly [ErrorMeaning["effect"], readonly number[]])[] = [
  ["fail", [1090, 1200, 1210, 1260, 1270, 1280, 1282, 1290, 1310, 1320, 1330, 1360, 1461, 1490]],
  ["undeliverable", [1050, 1170, 1190, 1240, 1300, 1430, 2003]],
  ["retry-message", [1180, 1220, 1230, 1241, 1472]],
  ["retry-provider", [1000, 1030, 1060, 1070, 1080, 1100, 1140, 1242, 1331, 1350, 1370, 1460]],
];
const pauses: Readonly<Record<number, number>> = { 1000: 1_000, 1241: 10_000, 1460: 60_000, 1472: 10_000 };

describe("Vonage answering every documented error", () => {
  test.each(messageErrors)("%i %s", async (code, title, status) => {
    vonage.answer = problem(status, `/messages#${code}`, title);
    const [effect] = effects.find(([, codes]) => codes.includes(code)) ?? ["fail-here" as const];
    expect(await provider().send()).toEqual(expectedResult(effect, `${status}, ${code}`, pauses[code]));
  });

  const ofTheRequest = [
    "invalid-params",
    "invalid-json",
    "wrong-verb",
    "accept-header",
    "content-type-header",
    "unavailable-legal",
  ];
  test.each(genericErrors)("%s", async (word, status) => {
    vonage.answer = problem(status, `#${word}`, "Anything");
    const effect = ofTheRequest.includes(word) ? "fail-here" : "retry-provider";
    const afterMs = word === "throttled" ? 1_000 : undefined;
    expect(await provider().send()).toEqual(expectedResult(effect, `${status}, ${word}`, afterMs));
  });

  test.each([
    [401, "retry", "fails"],
    [402, "retry", "fails"],
    [403, "retry", "fails"],
    [404, "retry", "fails"],
    [408, "retry", "fails"],
    [429, "retry", "fails"],
    [500, "retry", "fails"],
    [503, "retry", "fails"],
    [302, "retry", "fails"],
    [200, "retry", "fails"],
    [400, "failed", "works"],
    [422, "failed", "works"],
  ])("status %i without a known error", async (status, kind, state) => {
    for (const body of ["", "<html>", '{"type":"https://developer.vonage.com/api-errors#new","title":"6591234567"}']) {
      vonage.answer = { status, body };
      expect(await provider().send()).toMatchObject({
        kind,
        provider: state,
        reason: expect.stringContaining(`(${status})`),
      });
    }
  });

  test("Vonage's own pause counts", async () => {
    vonage.answer = { ...problem(429, "#throttled", "Rate Limit Hit"), headers: { "Retry-After": "7" } };
    expect(await provider().send()).toMatchObject({ kind: "retry", provider: "fails", afterMs: 7_000 });
  });

  test("no answer", async () => {
    vonage.answer = "hang up";
    expect(await provider().send()).toEqual({
      kind: "retry",
      reason: "the provider cannot be reached",
      provider: "fails",
      mayBeSent: true,
    });
  });
});

describe("a report", () => {
  const body = Buffer.from(
    JSON.stringify({ message_uuid: uuid, status: "delivered", timestamp: fixedNow.toISOString() }),
  );
  async function signed(sent: Buffer, key = signatureSecret) {
    const claims = { payload_hash: createHash("sha256").update(sent).digest("hex"), api_key: "abcd1234" };
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuedAt(fixedNow);
    return { authorization: `Bearer ${await jwt.sign(Buffer.from(key))}` };
  }

  test("is taken from a signed request, as often as it comes", async () => {
    const receipts = [{ messageId: uuid, state: "delivered", at: fixedNow, error: null }];
    const headers = await signed(body);
    expect(await provider().callback({ body, headers })).toEqual({ kind: "receipts", receipts });
    expect(await provider().callback({ body, headers })).toEqual({ kind: "receipts", receipts });
  });

  test("is refused unless it is signed with the secret, over this body, within the hour", async () => {
    const unsigned = { kind: "unsigned" };
    expect(await provider().callback({ body })).toEqual(unsigned);
    expect(await provider().callback({ body, headers: await signed(body, "another secret") })).toEqual(unsigned);
    expect(await provider().callback({ body, headers: await signed(Buffer.from("{}")) })).toEqual(unsigned);
    const later = () => new Date(fixedNow.getTime() + 3_700_000);
    expect(await provider(undefined, { now: later }).callback({ body, headers: await signed(body) })).toEqual(unsigned);
  });

  test("about something else is accepted and means nothing", async () => {
    const other = Buffer.from('{"event":"new"}');
    expect(await provider().callback({ body: other, headers: await signed(other) })).toEqual({
      kind: "receipts",
      receipts: [],
    });
    const text = Buffer.from("text");
    expect(await provider().callback({ body: text, headers: await signed(text) })).toEqual({ kind: "unreadable" });
  });

  test("is not taken without the signature secret", () => {
    expect(provider("from=ACME").provider.callback).toBeUndefined();
  });
});

describe("a DSN", () => {
  const configured = (dsn: string, channel: "sms" | "voice" = "sms") =>
    providerUnderTest({ kind: vonageKind, dsn, channel }).address;

  test("has Vonage's address, or the one it names", () => {
    expect(configured(`vonage://${credentials}@?from=ACME`)).toBe("api.nexmo.com");
    const region = encodeURIComponent("https://api-eu.vonage.com/");
    expect(configured(`vonage://${credentials}@?from=ACME&api_url=${region}`)).toBe("api-eu.vonage.com");
  });

  test.each([
    ["vonage://?from=ACME", "application"],
    [`vonage://${applicationId}@?from=ACME`, "application"],
    ["vonage://me:secret-key@?from=ACME", "application"],
    [`vonage://${applicationId}:c2VjcmV0LWtleQ@?from=ACME`, "basenc"],
    [`vonage://${credentials}@?from=ACME&to=1`, "unknown parameter"],
    [`vonage://${credentials}@`, "sender"],
    [`vonage://${credentials}@api-eu.vonage.com?from=ACME`, "application"],
    [`vonage://${credentials}@?from=ACME&api_url=http:%2F%2Fexample.com`, "api_url"],
  ])("%.40s… is refused, and what is wrong is said without the secret", (dsn, problemSaid) => {
    expect(() => configured(dsn)).toThrow(TypeError);
    expect(() => configured(dsn)).toThrow(problemSaid);
    expect(() => configured(dsn)).not.toThrow(/secret-key|c2VjcmV0|BEGIN/);
  });
});
