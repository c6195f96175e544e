import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LiveSource } from "../../../src/capabilities/lookup/live-source.ts";
import { captureLog } from "../../support/log-capture.ts";
import { HttpFake } from "../channels/http-fake.ts";

const secret = "a secret that the adapter shares with us";
const number = "+6591234567";

let adapter: HttpFake;
let nowMs = 0;
const clock = { now: () => new Date("2026-06-15T10:00:00Z"), monotonicMs: () => nowMs };
beforeEach(async () => {
  nowMs = 0;
  adapter = await HttpFake.open();
});
afterEach(() => adapter.close());

function createSource() {
  const log = captureLog();
  const source = new LiveSource({ clock, logger: log.logger, url: adapter.url, secret, timeoutMs: 200 });
  return { source, log };
}

const answer = (body: unknown, status = 200, headers = {}) => ({ status, headers, body: JSON.stringify(body) });
const nothing = {
  reachable: undefined,
  carrier: undefined,
  ported: undefined,
  roamingCountry: undefined,
  lineType: undefined,
};

test("the request is signed, and the answer is read", async () => {
  adapter.answer = answer({
    reachable: true,
    carrier: "Singtel",
    ported: true,
    roaming_country: "MY",
    line_type: "mobile",
  });
  expect(await createSource().source.find(number)).toEqual({
    reachable: true,
    carrier: "Singtel",
    ported: true,
    roamingCountry: "MY",
    lineType: "mobile",
    checkedAt: clock.now(),
  });
  expect(adapter.lastJson).toEqual({ number });
  const [request] = adapter.requests;
  const time = clock.now().getTime();
  const signature = createHmac("sha256", secret).update(`${time}.${request?.body}`).digest("hex");
  expect(request?.headers["byond-signature"]).toBe(`t=${time},v1=${signature}`);
});

test.each([
  ["nothing", {}],
  [
    "values of other types",
    { reachable: "yes", carrier: 7, ported: null, roaming_country: 65, line_type: "mobile phone" },
  ],
  ["texts that are none", { carrier: "a\u0000b", roaming_country: "sg", line_type: "unknown" }],
  ["a long text", { carrier: "x".repeat(101) }],
])("%s is left out", async (_, body) => {
  adapter.answer = answer(body);
  expect(await createSource().source.find(number)).toEqual({ ...nothing, checkedAt: clock.now() });
});

describe("without an answer there is no state", () => {
  test.each([
    ["an adapter that does not know the number", answer({}, 404)],
    ["an adapter that fails", answer({}, 500)],
    ["a redirection", answer({}, 302, { Location: "http://127.0.0.1:1/" })],
    ["no JSON", { status: 200, body: "<html>" }],
    ["a list", answer([])],
    ["more than 64 KiB", answer({ carrier: "x".repeat(70_000) })],
    ["a closed connection", "hang up"],
    ["silence", "silence"],
  ] as const)("%s", async (_, given) => {
    adapter.answer = given;
    expect(await createSource().source.find(number)).toBeUndefined();
  });
});

describe("answers are remembered for as long as the adapter says", () => {
  test.each([
    ["a minute", 60, 60_000],
    ["a day at most", 1e9, 86_400_000],
  ])("%s", async (_, seconds, rememberedMs) => {
    adapter.answer = answer({ carrier: "Singtel", cache_seconds: seconds });
    const { source } = createSource();
    await source.find(number);
    nowMs = rememberedMs - 1;
    expect(await source.find(number)).toMatchObject({ carrier: "Singtel" });
    expect(adapter.requests).toHaveLength(1);
    nowMs = rememberedMs;
    await source.find(number);
    expect(adapter.requests).toHaveLength(2);
  });

  test.each([[undefined], [0], [-1], ["60"], [null]])("not with cache_seconds %j", async (seconds) => {
    adapter.answer = answer({ carrier: "Singtel", cache_seconds: seconds });
    const { source } = createSource();
    await source.find(number);
    await source.find(number);
    expect(adapter.requests).toHaveLength(2);
  });

  test("a number that many ask for at once is asked for once", async () => {
    adapter.answer = answer({ carrier: "Singtel" });
    const { source } = createSource();
    await Promise.all(Array.from({ length: 20 }, () => source.find(number)));
    expect(adapter.requests).toHaveLength(1);
  });
});

describe("an adapter that fails is left alone", () => {
  test("after five failures, until it answers again", async () => {
    adapter.answer = answer({}, 503);
    const { source, log } = createSource();
    const ask = async (index: number) => source.find(`+659123${String(index).padStart(4, "0")}`);
    for (let index = 0; index < 8; index += 1) {
      await ask(index);
    }
    expect(adapter.requests).toHaveLength(5);
    expect(log.lines.join("\n")).toContain("lookup_source_paused");
    adapter.answer = answer({ carrier: "Singtel" });
    expect(await ask(9)).toBeUndefined();
    nowMs = 1_000;
    expect(await ask(10)).toMatchObject({ carrier: "Singtel" });
    expect(log.lines.join("\n")).toContain("lookup_source_resumed");
    expect(log.lines.join("\n")).not.toContain(secret);
    expect(log.lines.join("\n")).not.toContain("+6591");
  });

  test("for as long as it asks, at the first 429", async () => {
    adapter.answer = answer({}, 429, { "Retry-After": "20" });
    const { source } = createSource();
    await source.find(number);
    nowMs = 19_999;
    await source.find(number);
    expect(adapter.requests).toHaveLength(1);
    nowMs = 20_000;
    await source.find(number);
    expect(adapter.requests).toHaveLength(2);
  });

  test("numbers that it does not know are no failures", async () => {
    adapter.answer = answer({}, 404);
    const { source } = createSource();
    for (let index = 0; index < 8; index += 1) {
      await source.find(number);
    }
    expect(adapter.requests).toHaveLength(8);
  });
});

test("fifty numbers at once, and no more", async () => {
  adapter.answer = "silence";
  const { source } = createSource();
  await Promise.all(
    Array.from({ length: 80 }, (_, index) => source.find(`+65912300${String(index).padStart(2, "0")}`)),
  );
  expect(adapter.requests).toHaveLength(50);
});
