/** The restrictions of a key are checked on every request, by the database's clock and the client's address. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestApp, useTestApp } from "../../support/app.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

/** On its own: what a header says of the client is not believed. */
const direct = useTestApp();
/** Behind a proxy on this machine, so that tests can come from anywhere. */
let app: TestApp;
let session: string;
beforeAll(async () => {
  app = await direct.startAnother({
    proxyTrust: loopbackProxy,
    defaultTier: "starter",
    sendLimits: { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 },
    signUpsPerHour: 1_000_000,
  });
  ({ session } = await app.signUp());
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

const inSeconds = (seconds: number) => new Date(app.time.now().getTime() + seconds * 1000).toISOString();

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const create = async (input: Record<string, unknown>) =>
    (await protocol.call(app, "CreateApiKey", { name: "a key", ...input }, { session })).body;
  const lookup = async (key: string, headers: Record<string, string> = {}, server = app) =>
    (await protocol.call(server, "LookupNumber", { number: "1" }, { key, headers })).code;
  const start = async (key: string) =>
    (await protocol.call(app, "StartVerification", { channel: "email", recipient: "a@example.com" }, { key })).code;

  /** Time moves for all tests: a session of its own, which is not out of time. */
  const freshSession = async () => ({ session } = await app.signUp());

  test("a key expires at its time, for reads and for calls with effects", async () => {
    await freshSession();
    const { key } = await create({ expires_at: inSeconds(60) });
    await app.time.advance({ seconds: 55 });
    expect(await lookup(key)).toBe("ok");
    await app.time.advance({ seconds: 6 });
    expect(await lookup(key)).toBe("invalid_api_key");
    expect(await start(key)).toBe("invalid_api_key");
  });

  test("neither a change nor a rotation brings an expired key back", async () => {
    await freshSession();
    const { id, key } = await create({ expires_at: inSeconds(30) });
    expect((await protocol.call(app, "UpdateApiKey", { id, expires_at: inSeconds(60) }, { session })).code).toBe("ok");
    await app.time.advance({ seconds: 31 });
    expect(await lookup(key)).toBe("ok");
    await app.time.advance({ seconds: 30 });
    expect(await lookup(key)).toBe("invalid_api_key");
    const attempts = [
      await protocol.call(app, "UpdateApiKey", { id, expires_at: inSeconds(3600) }, { session }),
      await protocol.call(app, "UpdateApiKey", { id, name: "again", scopes: ["*"] }, { session }),
      await protocol.call(app, "RotateApiKey", { id, grace_seconds: 600 }, { session }),
    ];
    for (const { code, body } of attempts) {
      expect([code, body.message]).toEqual(["not_found", "There is no active API key with this id."]);
    }
    expect(await lookup(key)).toBe("invalid_api_key");
    // It is still there to be looked at, and to be revoked.
    const { body } = await protocol.call(app, "GetApiKey", { id }, { session });
    expect(body).toMatchObject({ name: "a key", revoked_at: null });
    expect((await protocol.call(app, "RevokeApiKey", { id }, { session })).code).toBe("ok");
  });

  test("during the grace after a rotation both secrets work, afterwards only the new one", async () => {
    await freshSession();
    const { id, key } = await create({});
    const rotated = await protocol.call(app, "RotateApiKey", { id, grace_seconds: 600 }, { session });
    const leftMs = Date.parse(rotated.body.previous_key_expires_at) - app.time.now().getTime();
    expect(leftMs).toBeGreaterThan(595_000);
    expect(leftMs).toBeLessThanOrEqual(601_000);
    await app.time.advance({ seconds: 590 });
    expect(await lookup(key)).toBe("ok");
    expect(await lookup(rotated.body.key)).toBe("ok");
    await app.time.advance({ seconds: 12 });
    expect(await lookup(key)).toBe("invalid_api_key");
    expect(await start(key)).toBe("invalid_api_key");
    expect(await lookup(rotated.body.key)).toBe("ok");
  });

  test("rotating again within a grace gives no secret more time than it had", async () => {
    await freshSession();
    const { id, key: first } = await create({});
    const rotate = async (grace_seconds: number) =>
      (await protocol.call(app, "RotateApiKey", { id, grace_seconds }, { session })).body.key;
    const second = await rotate(60);
    const third = await rotate(600);
    await app.time.advance({ seconds: 62 });
    expect(await lookup(first)).toBe("invalid_api_key");
    expect(await lookup(second)).toBe("ok");
    expect(await lookup(third)).toBe("ok");
    const fourth = await rotate(0);
    expect([await lookup(second), await lookup(third), await lookup(fourth)]).toEqual([
      "invalid_api_key",
      "invalid_api_key",
      "ok",
    ]);
  });

  test.each([
    ["203.0.113.7", "ok"],
    ["::ffff:203.0.113.7", "ok"],
    ["203.0.113.8", "ip_not_allowed"],
    ["2001:db8::1", "ok"],
    ["2001:db9::1", "ip_not_allowed"],
    ["nonsense", "ip_not_allowed"],
  ])("under an allowlist a call from %s is %s", async (address, code) => {
    await freshSession();
    const { key } = await create({ ip_allowlist: ["203.0.113.7", "2001:db8::/32"] });
    expect(await lookup(key, { "x-forwarded-for": address })).toBe(code);
  });

  test("a spoofed X-Forwarded-For does not pass an allowlist", async () => {
    await freshSession();
    const { key } = await create({ ip_allowlist: ["203.0.113.7"] });
    expect(await lookup(key, { "x-forwarded-for": "203.0.113.7" }, direct)).toBe("ip_not_allowed");
    // The client's own entry, left of the one that the proxy wrote.
    expect(await lookup(key, { "x-forwarded-for": "203.0.113.7, 198.51.100.1" })).toBe("ip_not_allowed");
  });

  test("an allowlist is checked before the scope, and never instead of the secret", async () => {
    await freshSession();
    const { key } = await create({ ip_allowlist: ["203.0.113.7"], scopes: ["verify"] });
    expect(await lookup(key, { "x-forwarded-for": "198.51.100.1" })).toBe("ip_not_allowed");
    expect(await lookup(key, { "x-forwarded-for": "203.0.113.7" })).toBe("insufficient_scope");
    const last = key.at(-1) === "0" ? "1" : "0";
    expect(await lookup(key.slice(0, -1) + last, { "x-forwarded-for": "198.51.100.1" })).toBe("invalid_api_key");
  });
});
