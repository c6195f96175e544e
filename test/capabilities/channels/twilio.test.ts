import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CodeMessage } from "../../../src/capabilities/channels/outgoing-message.ts";
import { readProviderList } from "../../../src/capabilities/channels/provider-list.ts";
import { twilioErrors } from "../../../src/capabilities/channels/twilio/twilio-errors.ts";
import { captureLog } from "../../support/log-capture.ts";
import { HttpFake } from "./http-fake.ts";
import { codeMessage, fixedNow } from "./messages.ts";

const sid = `AC${"0123456789abcdef".repeat(2)}`;
const token = "fedcba9876543210fedcba9876543210";
let twilio: HttpFake;

beforeAll(async () => {
  twilio = await HttpFake.open();
});
afterAll(() => twilio.close());
beforeEach(() => {
  twilio.requests.splice(0);
  twilio.answer = accepted("SM1");
});

/** What Twilio answers to a message or call that it takes (twilio.com/docs/messaging/api/message-resource). */
function accepted(id: string) {
  return { status: 201, body: JSON.stringify({ sid: id, status: "queued", num_segments: "0", error_code: null }) };
}

/** An error in Twilio's form (twilio.com/docs/usage/twilios-response). It may name the recipient. */
function refused(status: number, code: number, headers = {}) {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  const message = "The 'To' number +6591234567 is wrong, and so is 493817";
  return { status, headers, body: JSON.stringify({ code, message, more_info, status }) };
}

async function send(
  overrides: Partial<CodeMessage> = {},
  { query = "?from=+15550100", callbackUrl = undefined as string | undefined } = {},
) {
  const channel = overrides.channel === "voice" ? "voice" : "sms";
  const problems: string[] = [];
  const dsn = `twilio://${sid}:${token}@${query}&api_url=${encodeURIComponent(twilio.url)}`;
  const [configured] = readProviderList(dsn, { channel, secret: undefined }, problems);
  expect(problems).toEqual([]);
  const provider = configured?.create({
    name: "twilio",
    channel,
    clock: { now: () => fixedNow, monotonicMs: () => 0 },
    logger: captureLog().logger,
    callbackUrl,
    record: async () => new Set(),
  });
  const message = codeMessage({ channel: "sms", recipient: "+6591234567", ...overrides });
  const result = await provider?.send(message, { idempotencyKey: "dlv_1", signal: new AbortController().signal });
  expect(JSON.stringify(result)).not.toMatch(/493817|91234567|fedcba98/);
  return result;
}

const lastForm = () => Object.fromEntries(new URLSearchParams(twilio.requests.at(-1)?.body));

test("a text message is posted to the Messages API, and is of no use to Twilio once its code expires", async () => {
  expect(await send()).toEqual({ kind: "sent", providerMessageId: "SM1", segments: 1 });
  expect(twilio.requests[0]).toMatchObject({
    path: `/2010-04-01/Accounts/${sid}/Messages.json`,
    headers: {
      authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
  });
  expect(lastForm()).toEqual({
    To: "+6591234567",
    From: "+15550100",
    Body: "493817 is your Acme verification code. It expires in 5 minutes. Do not share it.",
    ValidityPeriod: "300",
  });
});

test("a call is posted to the Calls API with TwiML that reads the digits, whatever the brand is called", async () => {
  twilio.answer = accepted("CA1");
  expect(await send({ channel: "voice", brand: `A<B> & "C"` })).toEqual({ kind: "sent", providerMessageId: "CA1" });
  expect(twilio.requests[0]?.path).toBe(`/2010-04-01/Accounts/${sid}/Calls.json`);
  expect(lastForm()).toEqual({
    To: "+6591234567",
    From: "+15550100",
    Twiml:
      '<Response><Say language="en-US">Your A B &amp; &quot;C&quot; verification code is: four, nine, three, eight, one, seven. Once more: four, nine, three, eight, one, seven. It expires in 5 minutes.</Say></Response>',
  });
});

test("a call is in the language of the message, with a voice of it", async () => {
  twilio.answer = accepted("CA1");
  await send({ channel: "voice", locale: "tr-TR" });
  expect(lastForm()).toMatchObject({
    Twiml:
      '<Response><Say language="tr-TR" voice="Polly.Filiz">Acme doğrulama kodunuz: dört, dokuz, üç, sekiz, bir, yedi. Tekrar ediyorum: dört, dokuz, üç, sekiz, bir, yedi. Kodun süresi 5 dakika içinde dolacak.</Say></Response>',
  });
});

test("a report is asked for and awaited only where there is an address for it", async () => {
  const callbackUrl = "https://otp.example.com/webhooks/sms/twilio";
  expect(await send({}, { callbackUrl })).toMatchObject({ awaitsReceipt: true });
  expect(lastForm()).toMatchObject({ StatusCallback: callbackUrl });
  expect(await send()).not.toHaveProperty("awaitsReceipt");
  expect(lastForm()).not.toHaveProperty("StatusCallback");
});

test("the sender is the country's, or a messaging service's", async () => {
  const query = `?from.SG=ACME&service=MG${"a".repeat(32)}`;
  await send({}, { query });
  expect(lastForm()).toMatchObject({ From: "ACME" });
  await send({ recipient: "+12025550123" }, { query });
  expect(lastForm()).toMatchObject({ MessagingServiceSid: `MG${"a".repeat(32)}` });
  twilio.requests.splice(0);
  expect(await send({ recipient: "+12025550123" }, { query: "?from.SG=ACME" })).toEqual({
    kind: "failed",
    reason: "no sender is set for the country",
    provider: "unknown",
    elsewhere: true,
  });
  expect(twilio.requests).toEqual([]);
});

describe("Twilio answering", () => {
  /** By documented code: its status, and what it means. Codes without a row here fail the last test. */
  const documented: readonly (readonly [code: number, status: number, result: object])[] = [
    [10001, 403, retry("the Twilio account is not active")],
    [10004, 429, { ...retry("Twilio's limit of calls at the same time is reached"), afterMs: 2_000 }],
    [13224, 400, undeliverable("the number does not exist")],
    [20003, 401, retry("Twilio refused the credentials")],
    [20005, 403, retry("the Twilio account is not active")],
    [20429, 429, { ...retry("Twilio's rate limit is reached"), afterMs: 2_000 }],
    [20500, 500, retry("Twilio is out of service")],
    [20503, 503, retry("Twilio is out of service")],
    [21210, 400, elsewhere("Twilio refused the sender")],
    [21211, 400, undeliverable("the number does not exist")],
    [21212, 400, elsewhere("Twilio refused the sender")],
    [21214, 400, elsewhere("the number cannot be reached")],
    [21215, 400, elsewhere("the Twilio account is not enabled for the country")],
    [21217, 400, undeliverable("the number does not exist")],
    [21408, 400, elsewhere("the Twilio account is not enabled for the country")],
    [21601, 400, elsewhere("Twilio refused the sender")],
    [21606, 400, elsewhere("Twilio refused the sender")],
    [21607, 400, elsewhere("the Twilio trial account cannot send to the recipient")],
    [21608, 400, elsewhere("the Twilio trial account cannot send to the recipient")],
    [21610, 400, undeliverable("the recipient has unsubscribed from the sender")],
    [21611, 429, { ...retry("Twilio's queue of the sender is full"), afterMs: 5_000 }],
    [21612, 400, elsewhere("Twilio cannot reach the recipient from the sender")],
    [21614, 400, undeliverable("the number cannot receive text messages")],
    [21617, 400, failed("the message is too long")],
    [21661, 400, elsewhere("Twilio refused the sender")],
    [21704, 400, elsewhere("the Twilio messaging service has no sender")],
    [63038, 429, { ...retry("the Twilio account's limit of messages a day is reached"), afterMs: 60_000 }],
  ];

  function retry(reason: string) {
    return { kind: "retry", reason, provider: "fails" };
  }
  function failed(reason: string) {
    return { kind: "failed", reason, provider: "works" };
  }
  function elsewhere(reason: string) {
    return { ...failed(reason), elsewhere: true };
  }
  function undeliverable(reason: string) {
    return { ...failed(reason), undeliverable: true };
  }

  test.each(documented)("the documented error %i", async (code, status, result) => {
    twilio.answer = refused(status, code);
    const reason = `${(result as { reason: string }).reason} (${status}, code ${code})`;
    expect(await send()).toEqual({ ...result, reason });
    expect(twilio.requests).toHaveLength(1);
  });

  test("every error that is known is in the list above", () => {
    expect(Object.keys(twilioErrors).map(Number)).toEqual(documented.map(([code]) => code));
  });

  test.each([
    ["another error", refused(400, 29999), elsewhere("Twilio refused the request (400, code 29999)")],
    ["no code", { status: 401 }, retry("Twilio refused the credentials (401)")],
    [
      "a pause",
      refused(429, 20429, { "Retry-After": "7" }),
      { ...retry("Twilio's rate limit is reached (429, code 20429)"), afterMs: 7_000 },
    ],
    ["a page", { status: 502, body: "<html>" }, retry("Twilio is out of service (502)")],
    ["something else", { status: 200, body: "{}" }, retry("Twilio's interface answered something unknown (200)")],
    [
      "a redirection",
      { status: 302, headers: { location: "/" } },
      retry("Twilio's interface answered something unknown (302)"),
    ],
    ["a hang-up", "hang up" as const, { ...retry("the provider cannot be reached"), mayBeSent: true }],
  ])("%s", async (_name, answer, result) => {
    twilio.answer = answer;
    expect(await send()).toEqual(result);
  });
});

describe("the DSN", () => {
  const secret = "s3cr3t-token";
  test.each([
    ["twilio://", "twilio must have the account's SID and token: twilio://SID:TOKEN@?from=+15550100"],
    [
      `twilio://${sid}@?from=+15550100`,
      "twilio must have the account's SID and token: twilio://SID:TOKEN@?from=+15550100",
    ],
    [
      `twilio://SK1:${secret}@?from=+15550100`,
      "twilio must have the account's SID and token: twilio://SID:TOKEN@?from=+15550100",
    ],
    [`twilio://${sid}:${secret}@`, "it must have a sender: ?from=+15550100"],
    [`twilio://${sid}:${secret}@host?from=+15550100`, /^twilio must have neither a host nor a path/],
    [
      `twilio://${sid}:${secret}@?from=+15550100&service=x`,
      "its parameter service must be the SID of a messaging service (MG…)",
    ],
    [
      `twilio://${sid}:${secret}@?from=+15550100&form=x`,
      /^it has the unknown parameter "form"; known are name, concurrency,/,
    ],
    [`twilio://${sid}:${secret}@?from=+15550100&${secret}=x`, /^it has an unknown parameter; known are/],
    [`twilio://${sid}:${secret}@?from=+15550100&from=+15550101`, "it has a parameter twice"],
    [
      `twilio://${sid}:${secret}@?from=+15550100&api_url=http%3A%2F%2Fapi.example`,
      /^its parameter api_url must be an https:/,
    ],
    [`twilio://${sid}:${secret}/x@?from=+15550100`, /^it must be scheme:\/\/user:password@host/],
    [`twilio://${sid}:${secret}?x@?from=+15550100`, /^it must be scheme:\/\/user:password@host/],
    [`twilio://${sid}:${secret}:x@?from=+15550100`, 'its user and password must have ":" percent-encoded as %3A'],
    [`twilio://${sid}:${secret}%@?from=+15550100`, "it is not percent-encoded correctly"],
    [`twillio://${sid}:${secret}@?from=+15550100`, /^its scheme must be one of https, http, twilio/],
    [
      `twilio://${sid}:${secret}@?from=+15550100&name=A`,
      "its parameter name must be lower-case letters, digits and hyphens",
    ],
    [
      `twilio://${sid}:${secret}@?from=+15550100&concurrency=0`,
      "its parameter concurrency must be a whole number between 1 and 1000",
    ],
  ])("%s is refused, without the secret", (dsn, problem) => {
    const problems: string[] = [];
    readProviderList(dsn, { channel: "sms", secret: undefined }, problems);
    expect(problems).toEqual([typeof problem === "string" ? problem : expect.stringMatching(problem)]);
    expect(problems.join()).not.toContain(secret);
  });

  test("a second one needs a name, and problems of several say which one", () => {
    const dsn = `twilio://${sid}:${secret}@?from=+15550100`;
    const read = (list: string) => {
      const problems: string[] = [];
      const providers = readProviderList(list, { channel: "sms", secret: undefined }, problems);
      return { names: providers.map(({ name }) => name), problems };
    };
    expect(read(`${dsn}, ${dsn}`).problems).toEqual([
      "it has two providers called twilio: give one another name with ?name=",
    ]);
    expect(read(`${dsn}\n${dsn}&name=twilio-eu`)).toEqual({ names: ["twilio", "twilio-eu"], problems: [] });
    expect(read(`${dsn} twilio://`).problems).toEqual([
      "of provider 2, twilio must have the account's SID and token: twilio://SID:TOKEN@?from=+15550100",
    ]);
  });
});
