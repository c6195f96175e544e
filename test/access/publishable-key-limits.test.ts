/** What protects from those who take a publishable key out of a page: limits, and what they do not learn. And preflights. */
import { describe, expect, test } from "vitest";
import { publishableRequestsPerMinute } from "../../src/access/publishable-keys.ts";
import { guessing } from "../../src/capabilities/verify/verify.policy.ts";
import { restClient } from "../wire/protocol-clients.ts";
import { behindProxy, shop, usePages } from "./pages-fixture.ts";

const { app, keys, create, start, from } = usePages();

describe("limits", () => {
  const check = (key: string, headers: Readonly<Record<string, string>>, app_ = app) =>
    restClient.call(app_, "CheckVerification", { verification_id: "vrf_none", code: "1" }, { key, headers });

  test("one source address may make 60 requests a minute, and takes nothing from others", async () => {
    const { key } = await create({ origins: [shop] });
    const greedy = from(shop);
    for (let call = 0; call < publishableRequestsPerMinute.source; call += 1) {
      expect((await check(key, greedy)).code).toBe("not_found");
    }
    const refused = await check(key, greedy);
    expect(refused.code).toBe("rate_limited");
    expect(refused.headers.get("RateLimit-Policy")).toContain('"source";q=60;w=60');
    const other = await check(key, from(shop));
    expect(other.code).toBe("not_found");
    expect(other.headers.get("RateLimit-Policy")).toContain('"key";q=600;w=60');
  });

  test("a key may make as many as it says, and takes nothing from secret keys", async () => {
    const { key } = await create({ origins: [shop], requests_per_minute: 2 });
    const codes: string[] = [];
    for (let call = 0; call < 3; call += 1) {
      codes.push((await check(key, from(shop))).code);
    }
    expect(codes).toEqual(["not_found", "not_found", "rate_limited"]);
    expect((await check(keys.secret, {})).code).toBe("not_found");
  });

  test("KEY_REQUESTS_PER_MINUTE is for secret keys: a publishable one keeps the limit of its kind, or its own", async () => {
    await using limited = await app.startAnother({ keyRequestsPerMinute: 120 });
    const policyOf = async (restrictions: object): Promise<string | null> => {
      const { key } = await create({ origins: [shop], ...restrictions });
      return (await check(key, from(shop), limited)).headers.get("RateLimit-Policy");
    };
    expect(await policyOf({})).toContain('"key";q=600;w=60');
    expect(await policyOf({ requests_per_minute: 5 })).toContain('"key";q=5;w=60');
    expect((await check(keys.secret, {}, limited)).headers.get("RateLimit-Policy")).toContain('"key";q=120;w=60');
  });

  test("a page's requests are not those of the workspace's tier", async () => {
    await using starter = await app.startAnother({
      ...behindProxy({ DEFAULT_TIER: "starter" }),
    });
    const owner = await starter.signUp();
    const { key } = await create({ origins: [shop] }, owner.session);
    const other = (await create({}, owner.session)).key;
    const before = (await check(other, {}, starter)).headers.get("RateLimit");
    for (let call = 0; call < 5; call += 1) {
      await check(key, from(shop), starter);
    }
    const pages = await check(key, from(shop), starter);
    expect(pages.headers.get("RateLimit-Policy")).toBe(
      '"source";q=60;w=60, "key";q=600;w=60, "publishable-keys";q=1000;w=60',
    );
    const after = (await check(other, {}, starter)).headers.get("RateLimit");
    const left = (text: string | null) => Number(/"workspace";r=(\d+)/.exec(text ?? "")?.[1]);
    expect(left(before) - left(after)).toBe(1);
  });
});

test("what the guard has against a number is nothing for a page", async () => {
  const owner = await app.signUp();
  const server = (await create({ scopes: ["*"] }, owner.session)).key;
  const { key } = await create({ origins: [shop] }, owner.session);
  const id = await start(server, { channel: "whatsapp", recipient: "+6591234599" });
  const changed = await app.rest("PATCH", "/guard", { key: server, body: { allowed_countries: ["DE"] } });
  expect(changed.status).toBe(200);
  const resend = async (caller: string, headers: Readonly<Record<string, string>>) =>
    (await app.rest("POST", `/verify/${id}/resend`, { key: caller, headers, body: {} })).body.error;
  expect(await resend(server, {})).toMatchObject({ code: "recipient_blocked", reason: "country_not_allowed" });
  const { request_id, documentation_url, ...told } = await resend(key, from(shop));
  expect(told).toEqual({ code: "recipient_blocked", message: "The code cannot be sent to this recipient." });
});

test("a page that guesses is slowed by its own address, and others are not", async () => {
  const { key } = await create({ origins: [shop] });
  const guesser = from(shop);
  const ids: string[] = [];
  for (let verification = 0; verification < guessing.end_user.verifications; verification += 1) {
    ids.push(await start(keys.secret));
  }
  const check = (id: string | undefined, headers: Readonly<Record<string, string>>) =>
    app.rest("POST", "/verify/check", { key, headers, body: { verification_id: id, code: "1" } });
  for (const id of ids) {
    expect((await check(id, guesser)).body.status).toBe("incorrect");
  }
  let answer = await check(ids[0], guesser);
  for (let call = 0; call < 40 && answer.status === 200; call += 1) {
    answer = await check(await start(keys.secret), guesser);
  }
  expect(answer.status).toBe(429);
  expect((await check(ids[0], from(shop))).body.status).toBe("incorrect");
});

test("an answer that is stored for an Idempotency-Key of the server is not given to a page", async () => {
  const id = await start(keys.secret, { metadata: { user: "u_1" } });
  const headers = { "Idempotency-Key": "resend-1" };
  const resend = (key: string, more: Readonly<Record<string, string>>) =>
    app.rest("POST", `/verify/${id}/resend`, { key, headers: { ...headers, ...more }, body: {} });
  expect((await resend(keys.secret, {})).body.metadata).toEqual({ user: "u_1" });
  const ofPage = await resend(keys.page, from(shop));
  expect(ofPage.headers.get("Idempotent-Replayed")).toBeNull();
  expect(ofPage.body).toMatchObject({ metadata: {}, recipient: null });
  const again = await resend(keys.page, from(shop));
  expect(again.headers.get("Idempotent-Replayed")).toBe("true");
  expect(again.body).toEqual(ofPage.body);
});

describe("a preflight", () => {
  const preflight = (path: string, origin = "https://anywhere.example") =>
    fetch(`${app.url}${path}`, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
      },
    });

  test.each([
    "/api/v1/verify/check",
    "/api/v1/verify/vrf_1/resend",
    "/byond.v1.VerifyService/CheckVerification",
    "/byond.v1.VerifyService/ResendCode",
  ])("of any page is answered for what a publishable key may call: %s", async (path) => {
    const answer = await preflight(path);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("vary")).toContain("Origin");
    expect(answer.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("x-api-key");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  test.each([
    "/api/v1/verify/start",
    "/api/v1/verify/vrf_1",
    "/api/v1/verify/vrf_1/cancel",
    "/api/v1/verify/vrf_1/resend/",
    "/api/v1/api-keys",
    "/byond.v1.VerifyService/StartVerification",
    "/console",
    "/nowhere",
  ])("says nothing for other paths: %s", async (path) => {
    expect((await preflight(path)).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("is followed by a call that the page can read, also if it is refused", async () => {
    const id = await start(keys.secret);
    const call = (origin: string) =>
      app.rest("POST", "/verify/check", {
        key: keys.page,
        headers: from(origin),
        body: { verification_id: id, code: "1" },
      });
    for (const [origin, status] of [
      [shop, 200],
      ["https://evil.example", 403],
    ] as const) {
      const answer = await call(origin);
      expect(answer.status).toBe(status);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("vary")).toContain("Origin");
    }
  });
});
