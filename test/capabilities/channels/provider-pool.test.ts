import { beforeEach, describe, expect, test } from "vitest";
import { ProviderPool } from "../../../src/capabilities/channels/provider-pool.ts";
import type { SendResult } from "../../../src/outbox/send-result.ts";
import { captureLog } from "../../support/log-capture.ts";
import { codeMessage } from "./messages.ts";

/** Two providers, `first` and `second`, whose results the test sets. */
let nowMs: number;
let results: Record<"first" | "second", SendResult | (() => Promise<SendResult>)>;
let asked: string[];
let log: ReturnType<typeof captureLog>;
let pool: ProviderPool;

const sent: SendResult = { kind: "sent", providerMessageId: "id" };
const down: SendResult = { kind: "retry", reason: "it is down", provider: "fails" };
const rateLimit: SendResult = { ...down, reason: "too fast", afterMs: 3_000 };
const message = codeMessage({ channel: "sms", recipient: "+6591234567" });

beforeEach(() => {
  nowMs = 0;
  results = { first: sent, second: sent };
  asked = [];
  log = captureLog();
  const provider = (name: "first" | "second") => ({
    concurrency: 2,
    provider: {
      name,
      async send() {
        asked.push(name);
        const result = results[name];
        return typeof result === "function" ? result() : result;
      },
    },
  });
  const options = { channel: "sms", clock: { monotonicMs: () => nowMs }, logger: log.logger };
  pool = new ProviderPool([provider("first"), provider("second")], options);
});

let count = 0;
async function send(idempotencyKey = `dlv_${++count}`, signal = new AbortController().signal) {
  const { logsPauses, ...result } = await pool.send(message, { idempotencyKey, signal });
  expect(logsPauses).toBe(true);
  return result;
}

/** Pauses a provider: it asks for three seconds. */
async function pause(name: "first" | "second") {
  results[name] = rateLimit;
  await send();
}

describe("a message", () => {
  test("goes to the first provider, which the result names", async () => {
    expect(await send()).toEqual({ ...sent, providerName: "first" });
    expect(asked).toEqual(["first"]);
  });

  test("that the first fails with is due again at once and goes to the second, which is no news about the lane", async () => {
    results.first = down;
    expect(await send("dlv_a")).toEqual({
      kind: "retry",
      reason: "it is down",
      provider: "unknown",
      afterMs: 0,
      providerName: "first",
    });
    expect(await send("dlv_a")).toEqual({ ...sent, providerName: "second" });
    // Another message begins with the first again.
    await send();
    expect(asked).toEqual(["first", "second", "first"]);
  });

  test("that all have failed with begins again with the first, after the usual back-off", async () => {
    results = { first: down, second: down };
    await send("dlv_a");
    expect(await send("dlv_a")).toEqual({
      kind: "retry",
      reason: "it is down",
      provider: "unknown",
      providerName: "second",
    });
    results.first = sent;
    await send("dlv_a");
    expect(asked).toEqual(["first", "second", "first"]);
  });

  test("that only the first refuses goes to the second; the refusal of the last one is final", async () => {
    const refusal: SendResult = { kind: "failed", reason: "not in this country", provider: "works", elsewhere: true };
    results = { first: refusal, second: refusal };
    expect(await send("dlv_a")).toMatchObject({ kind: "retry", provider: "works", afterMs: 0, providerName: "first" });
    expect(await send("dlv_a")).toEqual({ ...refusal, providerName: "second" });
    expect(asked).toEqual(["first", "second"]);
  });

  test("that no provider would deliver fails at the first one", async () => {
    results.first = { kind: "failed", reason: "unknown number", provider: "works", undeliverable: true };
    expect(await send()).toMatchObject({ kind: "failed", undeliverable: true, providerName: "first" });
    expect(asked).toEqual(["first"]);
  });
});

describe("a pause", () => {
  test("begins with five failures in a row; messages go to the next provider meanwhile, and back after one success", async () => {
    results.first = down;
    for (let failures = 1; failures <= 5; failures += 1) {
      expect(await send()).toMatchObject({ kind: "retry", providerName: "first" });
    }
    expect(await send()).toMatchObject({ kind: "sent", providerName: "second" });
    expect(log.lines.join("")).toMatch(/provider_paused.*"provider":"first"|"provider":"first".*provider_paused/);
    expect(log.lines.join("")).not.toContain("it is down to +65");
    results.first = sent;
    nowMs += 1_000;
    expect(await send()).toMatchObject({ providerName: "first" });
    expect(await send()).toMatchObject({ providerName: "first" });
    expect(log.lines.join("")).toContain("provider_resumed");
  });

  test("tries one message after it; the others go to the next provider until that one is answered", async () => {
    await pause("first");
    nowMs += 3_000;
    const trial = Promise.withResolvers<SendResult>();
    results.first = () => trial.promise;
    const tried = send();
    expect(await send()).toMatchObject({ providerName: "second" });
    expect(await send()).toMatchObject({ providerName: "second" });
    trial.resolve(sent);
    expect(await tried).toMatchObject({ providerName: "first" });
    results.first = sent;
    expect(await send()).toMatchObject({ providerName: "first" });
  });

  test("of all providers is the lane's, for as long as the shortest of them", async () => {
    await pause("first");
    nowMs += 1_000;
    results.second = rateLimit;
    expect(await send()).toMatchObject({ kind: "retry", provider: "fails", afterMs: 2_000, providerName: "second" });
    asked = [];
    nowMs += 500;
    const refused = await send();
    expect(refused).toEqual({ kind: "retry", reason: "every provider is paused", provider: "fails", afterMs: 1_500 });
    expect(asked).toEqual([]);
  });

  test("of the only provider that has not refused a message is no news about the lane", async () => {
    results.first = { kind: "failed", reason: "not in this country", provider: "works", elsewhere: true };
    await send("dlv_a");
    results.second = rateLimit;
    expect(await send("dlv_a")).toMatchObject({ kind: "retry", provider: "unknown", afterMs: 3_000 });
  });
});

describe("places", () => {
  test("a provider gets no more messages at once than its places; the next takes the others; what finds none waits", async () => {
    const held = Promise.withResolvers<SendResult>();
    results = { first: () => held.promise, second: () => held.promise };
    const sending = Array.from({ length: 5 }, () => send());
    await new Promise(setImmediate);
    expect(asked).toEqual(["first", "first", "second", "second"]);
    held.resolve(sent);
    expect((await Promise.all(sending)).map(({ providerName }) => providerName)).toEqual([
      "first",
      "first",
      "second",
      "second",
      "first",
    ]);
  });

  test("a message that waits for one until its attempt ends is tried again", async () => {
    const held = Promise.withResolvers<SendResult>();
    results = { first: () => held.promise, second: () => held.promise };
    const sending = Array.from({ length: 4 }, () => send());
    const attempt = new AbortController();
    const waiting = send("dlv_waiting", attempt.signal);
    attempt.abort();
    expect(await waiting).toEqual({
      kind: "retry",
      reason: "no provider had a place for the message in time",
      provider: "unknown",
    });
    held.resolve(sent);
    await Promise.all(sending);
  });

  test("a provider that throws frees its place", async () => {
    results.first = () => Promise.reject(new TypeError("a fault of ours"));
    for (let times = 1; times <= 3; times += 1) {
      await expect(send()).rejects.toThrow("a fault of ours");
    }
    results.first = sent;
    expect(await send()).toMatchObject({ providerName: "first" });
  });
});
