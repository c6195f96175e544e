/** What answers say of the limits that their requests were counted against, and which requests are counted. */

import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/app.ts";
import { startTestApp, type TestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";
import {
  grpcClient,
  type ProtocolAnswer,
  type ProtocolCall,
  protocolClients,
  restClient,
} from "../wire/protocol-clients.ts";

/** New workspaces are on the starter tier here, with 1,000 requests a minute. */
let starter: TestApp;
/** The same database; its new workspaces have no limit. */
let unlimited: TestApp;

beforeAll(async () => {
  starter = await startTestApp({
    ...limitsOf(),
    signUpsPerHour: 1_000_000,
    defaultTier: "starter",
  });
  unlimited = await starter.startAnother({
    ...limitsOf(),
    signUpsPerHour: 1_000_000,
    defaultTier: "unlimited",
  });
});
afterAll(async () => {
  await unlimited[Symbol.asyncDispose]();
  await starter[Symbol.asyncDispose]();
});

async function mint(app: TestApp, restrictions: object = {}) {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } });
  return { session, id: body.id as string, key: body.key as string };
}

const names = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "RateLimit-Policy"];
const allOf = ({ headers }: ProtocolAnswer) => names.map((name) => headers.get(name));
const remaining = ({ headers }: ProtocolAnswer) => Number(headers.get("X-RateLimit-Remaining"));

describe.each(protocolClients)("over $name", (client) => {
  const lookup = (call: ProtocolCall, app = starter) => client.call(app, "LookupNumber", { number: "1" }, call);

  test("a response has the tier's limit and what is left of it, in both notations", async () => {
    const { key } = await mint(starter);
    const first = await lookup({ key });
    const nowSeconds = starter.time.now().getTime() / 1_000;
    expect(first.code).toBe("ok");
    expect(first.headers.get("X-RateLimit-Limit")).toBe("1000");
    const reset = Number(first.headers.get("X-RateLimit-Reset"));
    expect(reset).toBeGreaterThan(nowSeconds - 1);
    // A minute from the end of the second that it was counted in, in whole seconds.
    expect(reset).toBeLessThanOrEqual(nowSeconds + 63);
    expect(first.headers.get("RateLimit-Policy")).toBe('"workspace";q=1000;w=60');
    expect(first.headers.get("RateLimit")).toMatch(
      new RegExp(`^"workspace";r=${first.headers.get("X-RateLimit-Remaining")};t=\\d{1,2}$`),
    );
    const second = await lookup({ key });
    expect(remaining(second)).toBeLessThan(remaining(first));
  });

  test("with KEY_REQUESTS_PER_MINUTE, keys without a limit of their own have that one, in either mode, and each by itself", async () => {
    const { keyRequestsPerMinute } = parseConfig({ KEY_REQUESTS_PER_MINUTE: "2" });
    await using app = await starter.startAnother({ ...limitsOf(), keyRequestsPerMinute });
    const live = await mint(starter);
    const mintBeside = async (restrictions: object): Promise<string> =>
      (await starter.rest("POST", "/api-keys", { session: live.session, body: { name: "key", ...restrictions } })).body
        .key;
    const sandbox = await mintBeside({ mode: "test" });
    const own = await mintBeside({ requests_per_minute: 5 });
    for (const key of [live.key, sandbox]) {
      const [first, second, third] = [
        await lookup({ key }, app),
        await lookup({ key }, app),
        await lookup({ key }, app),
      ];
      expect([first.code, second.code, third.code]).toEqual(["ok", "ok", "rate_limited"]);
      expect(third.headers.get("X-RateLimit-Limit")).toBe("2");
      expect(first.headers.get("RateLimit-Policy")).toBe('"key";q=2;w=60, "workspace";q=1000;w=60');
    }
    const withOwn = await lookup({ key: own }, app);
    expect(withOwn.headers.get("RateLimit-Policy")).toBe('"key";q=5;w=60, "workspace";q=1000;w=60');
    // The limit is none of the key's: it does not show it, and a server without the setting does not count it.
    const shown = await starter.rest("GET", `/api-keys/${live.id}`, { session: live.session });
    expect(shown.body.requests_per_minute).toBeNull();
    expect((await lookup({ key: live.key })).code).toBe("ok");
    const asUser = await client.call(app, "ListApiKeys", {}, { session: live.session });
    expect(asUser.headers.get("RateLimit-Policy")).toBe('"workspace";q=1000;w=60');
  });

  test("errors that occur after the count have the headers too", async () => {
    const { key } = await mint(starter);
    const answers = [
      await client.call(
        starter,
        "CheckVerification",
        { verification_id: "vrf_0000000000000000000000", code: "1" },
        { key },
      ),
      await client.call(starter, "StartVerification", { channel: "email", recipient: "nobody" }, { key }),
      await lookup({ key, headers: { "Byond-Version": "1999-12-31" } }),
    ];
    expect(answers.map(({ code }) => code)).toEqual(["not_found", "validation_error", "unknown_version"]);
    for (const answer of answers) {
      expect(answer.headers.get("X-RateLimit-Limit")).toBe("1000");
      expect(allOf(answer)).not.toContain(null);
    }
  });

  test("a session's requests count for the same workspace", async () => {
    const { key, session } = await mint(starter);
    const before = await lookup({ key });
    const listed = await client.call(starter, "ListApiKeys", {}, { session });
    expect(listed.headers.get("RateLimit-Policy")).toBe('"workspace";q=1000;w=60');
    expect(remaining(listed)).toBeLessThan(remaining(before));
  });

  test("without a limit there are no headers", async () => {
    const { key, session } = await mint(unlimited);
    for (const answer of [
      await lookup({ key }, unlimited),
      await client.call(unlimited, "ListApiKeys", {}, { session }),
      await client.call(unlimited, "StartVerification", { channel: "email", recipient: "nobody" }, { key }),
    ]) {
      expect(allOf(answer)).toEqual(names.map(() => null));
    }
  });

  test("without a credential, and on endpoints that take none, there are no headers", async () => {
    const account = { email: "nobody@example.com", password: "correct horse battery" };
    const answers = [
      await lookup({}),
      await lookup({ key: "pk_live_a.b" }),
      await client.call(starter, "SignIn", account),
    ];
    for (const answer of answers) {
      expect(answer.code).toBe("invalid_api_key");
      expect(allOf(answer)).toEqual(names.map(() => null));
    }
  });

  test.each([
    ["starter", () => starter, '"key";q=3;w=60, "workspace";q=1000;w=60'],
    ["unlimited", () => unlimited, '"key";q=3;w=60'],
  ] as const)(
    "a key of the %s tier with a limit of its own is refused beyond it, and told when to come again",
    async (_name, server, policy) => {
      const app = server();
      const { key } = await mint(app, { requests_per_minute: 3 });
      for (const left of [2, 1, 0]) {
        const answer = await lookup({ key }, app);
        expect(answer.code).toBe("ok");
        expect(answer.headers.get("X-RateLimit-Limit")).toBe("3");
        expect(remaining(answer)).toBe(left);
        expect(answer.headers.get("RateLimit-Policy")).toBe(policy);
        expect(answer.headers.get("RateLimit")).toMatch(new RegExp(`^"key";r=${left};t=\\d+`));
      }
      const refused = await lookup({ key }, app);
      expect(refused.code).toBe("rate_limited");
      expect(refused.headers.get("X-RateLimit-Limit")).toBe("3");
      expect(remaining(refused)).toBe(0);
      const retryAfter = Number(refused.headers.get("Retry-After"));
      expect(refused.headers.get("RateLimit")).toBe(`"key";r=0;t=${Math.min(60, retryAfter)}`);
      const reset = Number(refused.headers.get("X-RateLimit-Reset"));
      expect(Math.abs(reset - app.time.now().getTime() / 1_000 - retryAfter)).toBeLessThanOrEqual(1);
      expect(retryAfter).toBeGreaterThanOrEqual(1);
      // 61 seconds that count, and one more if the request came so late in a second that it is charged to the next.
      expect(retryAfter).toBeLessThanOrEqual(62);
      expect(refused.body.retry_after).toBe(retryAfter);
    },
  );

  test("while the limit of one key is reached, another key of the workspace is admitted", async () => {
    const { key, session } = await mint(starter, { requests_per_minute: 1 });
    const { body } = await starter.rest("POST", "/api-keys", { session, body: { name: "another" } });
    expect((await lookup({ key })).code).toBe("ok");
    expect((await lookup({ key })).code).toBe("rate_limited");
    expect((await lookup({ key: body.key })).code).toBe("ok");
  });

  test("a request that is refused before the count is counted neither for the key nor for the workspace", async () => {
    const { session } = await starter.signUp();
    const create = async (restrictions: object) =>
      (await starter.rest("POST", "/api-keys", { session, body: { name: "key", ...restrictions } })).body.key as string;
    const key = await create({ requests_per_minute: 2, scopes: ["lookup"] });
    const elsewhere = await create({ requests_per_minute: 1, ip_allowlist: ["192.0.2.1"] });
    const signed = await create({ requests_per_minute: 1, require_signature: true });
    const start = { channel: "email", recipient: "a@example.com" };
    for (let time = 0; time < 5; time++) {
      for (const [code, answer] of [
        ["insufficient_scope", await client.call(starter, "StartVerification", start, { key })],
        ["invalid_api_key", await client.call(starter, "CreateApiKey", { name: "a" }, { key })],
        ["invalid_api_key", await lookup({ key: `${key}x` })],
        ["ip_not_allowed", await lookup({ key: elsewhere })],
        ["signature_invalid", await lookup({ key: signed })],
      ] as const) {
        expect(answer.code).toBe(code);
        expect(allOf(answer)).toEqual(names.map(() => null));
      }
    }
    const first = await lookup({ key });
    expect([first.code, remaining(first)]).toEqual(["ok", 1]);
    expect((await lookup({ key })).code).toBe("ok");
    expect((await lookup({ key })).code).toBe("rate_limited");
  });

  test("a request that is refused after the count is counted", async () => {
    const { key } = await mint(unlimited, { requests_per_minute: 3 });
    const codes = [
      await client.call(unlimited, "StartVerification", { channel: "email", recipient: "nobody" }, { key }),
      await lookup({ key, headers: { "Byond-Version": "1999-12-31" } }, unlimited),
      await lookup({ key, headers: { "Byond-Envelope": "maybe" } }, unlimited),
      await lookup({ key }, unlimited),
    ].map(({ code }) => code);
    expect(codes).toEqual(["validation_error", "unknown_version", "invalid_request", "rate_limited"]);
  });

  test("a replay is counted, and its headers say what is left now", async () => {
    const { key } = await mint(unlimited, { requests_per_minute: 3 });
    const input = { channel: "email", recipient: `counted-${crypto.randomUUID()}@example.com` };
    const start = () =>
      client.call(unlimited, "StartVerification", input, { key, headers: { "Idempotency-Key": "counted" } });
    const answers = [await start(), await start(), await start(), await start()];
    expect(answers.map(({ code }) => code)).toEqual(["ok", "ok", "ok", "rate_limited"]);
    expect(answers.map(remaining)).toEqual([2, 1, 0, 0]);
    expect(answers[3]?.headers.get("Idempotent-Replayed")).toBeNull();
  });

  test("a changed limit holds for the next request", async () => {
    const { key, id, session } = await mint(unlimited, { requests_per_minute: 1 });
    expect((await lookup({ key }, unlimited)).code).toBe("ok");
    expect((await lookup({ key }, unlimited)).code).toBe("rate_limited");
    await unlimited.rest("PATCH", `/api-keys/${id}`, { session, body: { requests_per_minute: 5 } });
    const answer = await lookup({ key }, unlimited);
    expect([answer.code, answer.headers.get("X-RateLimit-Limit")]).toEqual(["ok", "5"]);
  });
});

test("a key has one limit over all protocols and on all servers", async () => {
  const { key } = await mint(starter, { requests_per_minute: 4 });
  for (const [index, client] of protocolClients.entries()) {
    const app = index % 2 === 0 ? starter : unlimited;
    expect((await client.call(app, "LookupNumber", { number: "1" }, { key })).code).toBe("ok");
  }
  for (const client of [restClient, grpcClient]) {
    expect((await client.call(starter, "LookupNumber", { number: "1" }, { key })).code).toBe("rate_limited");
    expect((await client.call(unlimited, "LookupNumber", { number: "1" }, { key })).code).toBe("rate_limited");
  }
});

test("a minute later requests are admitted again", async () => {
  await using app = await startTestApp();
  const { key } = await mint(app, { requests_per_minute: 1 });
  const code = async () => (await restClient.call(app, "LookupNumber", { number: "1" }, { key })).code;
  expect(await code()).toBe("ok");
  expect(await code()).toBe("rate_limited");
  await app.time.advance({ seconds: 62 });
  expect(await code()).toBe("ok");
});

test("of eleven hundred requests in a minute a workspace of the starter tier has at most a thousand, and nearly those", async () => {
  const { key } = await mint(starter);
  const answers: ProtocolAnswer[] = [];
  for (let batch = 0; batch < 11; batch++) {
    const call = (index: number) =>
      (protocolClients[index % protocolClients.length] ?? restClient).call(
        starter,
        "LookupNumber",
        { number: "1" },
        { key },
      );
    answers.push(...(await Promise.all(Array.from({ length: 100 }, (_, index) => call(index)))));
  }
  const admitted = answers.filter(({ code }) => code === "ok");
  // The session that made the key is the workspace's too.
  expect(admitted.length).toBeLessThanOrEqual(999);
  expect(admitted.length).toBeGreaterThanOrEqual(900);
  const refused = answers.filter(({ code }) => code === "rate_limited");
  expect(admitted.length + refused.length).toBe(1_100);
  for (const answer of refused) {
    expect(answer.headers.get("X-RateLimit-Limit")).toBe("1000");
    expect(answer.headers.get("RateLimit")).toMatch(/^"workspace";r=0;t=\d+$/);
    expect(Number(answer.headers.get("Retry-After"))).toBe(answer.body.retry_after);
  }
});

test("signatures that hold are counted like other requests", async () => {
  const { key } = await mint(unlimited, { requests_per_minute: 1, require_signature: true });
  const sign = (body: Uint8Array) => {
    const t = Date.now();
    return { "Byond-Signature": `t=${t},v1=${createHmac("sha256", key).update(`${t}.`).update(body).digest("hex")}` };
  };
  const code = async () => (await restClient.call(unlimited, "LookupNumber", { number: "1" }, { key, sign })).code;
  expect(await code()).toBe("ok");
  expect(await code()).toBe("rate_limited");
});
