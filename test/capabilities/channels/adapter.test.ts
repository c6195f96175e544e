import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAdapterProvider } from "../../../src/capabilities/channels/adapter/adapter.ts";
import type { CodeMessage } from "../../../src/capabilities/channels/outgoing-message.ts";
import { languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { HttpFake } from "./http-fake.ts";
import { codeMessage, fixedNow } from "./messages.ts";

let provider: HttpFake;
const clock = { now: () => fixedNow, monotonicMs: () => 0 };

beforeAll(async () => {
  provider = await HttpFake.open();
});
afterAll(async () => {
  await provider.close();
});
beforeEach(() => {
  provider.requests.splice(0);
});

async function send(overrides: Partial<CodeMessage> = {}, timeoutMs = 10_000) {
  const options = { url: `${provider.url}/messages`, secret: "shared secret", timeoutMs };
  const channel = createAdapterProvider(options, { name: "adapter", clock });
  const message = codeMessage({ channel: "sms", recipient: "+6591234567", ...overrides });
  const result = await channel.send(message, { idempotencyKey: "dlv_1", signal: new AbortController().signal });
  expect(JSON.stringify(result)).not.toMatch(/493817|91234567|shared secret/);
  return result;
}

test("a text message is posted in the documented form", async () => {
  provider.answer = { status: 202, body: '{"message_id":"carrier-7"}' };
  expect(await send({ autofillDomain: "acme.example" })).toEqual({ kind: "sent", providerMessageId: "carrier-7" });
  expect(provider.requests[0]).toMatchObject({
    path: "/messages",
    headers: { "content-type": "application/json", "idempotency-key": "dlv_1" },
  });
  expect(provider.lastJson).toEqual({
    id: "dlv_1",
    channel: "sms",
    recipient: "+6591234567",
    text: "493817 is your Acme verification code. It expires in 5 minutes. Do not share it.\n\n@acme.example #493817",
    code: "493817",
    brand: "Acme",
    locale: "en",
    expires_at: "2026-03-01T12:05:00.000Z",
  });
});

test("a call is posted with a text to be read out", async () => {
  provider.answer = { status: 204 };
  expect(await send({ channel: "voice" })).toEqual({ kind: "sent", providerMessageId: "dlv_1" });
  expect(provider.lastJson).toMatchObject({
    channel: "voice",
    text: "Your Acme verification code is: four, nine, three, eight, one, seven. Once more: four, nine, three, eight, one, seven. It expires in 5 minutes.",
  });
});

test("no name of a call begins a script for the voice", async () => {
  provider.answer = { status: 204 };
  const approval = { payee: "<break time='9s'/>Books", amount: { value: "9.90", currency: "EUR" } };
  for (const locale of languageTags) {
    await send({ channel: "voice", brand: "<speak>Acme", locale });
    expect(provider.lastJson).toMatchObject({ text: expect.stringMatching(/^[^<>]*speak Acme[^<>]*$/) });
    await send({ channel: "voice", brand: "<speak>Acme", locale, approval });
    expect(provider.lastJson).toMatchObject({ text: expect.stringMatching(/^[^<>]*break time='9s'\/ Books[^<>]*$/) });
  }
});

test("the request is signed, time and body together", async () => {
  provider.answer = { status: 200 };
  await send();
  const [request] = provider.requests;
  const sentAtMs = fixedNow.getTime();
  const digest = createHmac("sha256", "shared secret").update(`${sentAtMs}.${request?.body}`).digest("hex");
  expect(request?.headers["byond-signature"]).toBe(`t=${sentAtMs},v1=${digest}`);
});

describe("a provider answering", () => {
  const retry = (reason: string, provider: "works" | "fails", afterMs?: number) => ({
    kind: "retry",
    reason: `the provider answered ${reason}`,
    provider,
    ...(afterMs === undefined ? {} : { afterMs }),
  });
  test.each([
    [
      { status: 422, body: '{"error":"invalid_number"}' },
      { kind: "failed", reason: "the provider answered 422 (invalid_number)", provider: "works" },
    ],
    [
      { status: 422, body: '{"error":"no +6591234567"}' },
      { kind: "failed", reason: "the provider answered 422", provider: "works" },
    ],
    [
      { status: 400, body: '{"error":"493817"}' },
      { kind: "failed", reason: "the provider answered 400", provider: "works" },
    ],
    [{ status: 401 }, retry("401", "fails")],
    [{ status: 404 }, retry("404", "fails")],
    [{ status: 409 }, retry("409", "works")],
    [{ status: 429, headers: { "retry-after": "3" } }, retry("429", "fails", 3_000)],
    [{ status: 503, body: '{"error":"carrier_down"}' }, retry("503 (carrier_down)", "fails")],
    [{ status: 503, headers: { "retry-after": "86400" } }, retry("503", "fails", 60_000)],
    [{ status: 301, headers: { location: "/" } }, retry("301", "fails")],
  ])("%j", async (answer, result) => {
    provider.answer = answer;
    expect(await send()).toEqual(result);
    expect(provider.requests).toHaveLength(1);
  });

  test("not at all: the attempt ends at the time-out and is retried", async () => {
    provider.answer = "silence";
    expect(await send({}, 50)).toEqual({
      kind: "retry",
      reason: "the provider did not answer in time",
      provider: "fails",
      mayBeSent: true,
    });
  });
});
