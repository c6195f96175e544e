/** Failed calls without a credential are limited by source: they cost the server little, however many there are. */
import { beforeEach, describe, expect, test } from "vitest";
import { FailedCallLimits } from "../../../src/capabilities/accounts/failed-call-limits.ts";
import { AppError } from "../../../src/errors.ts";
import { type SignedUp, useTestApp } from "../../support/app.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const app = useTestApp({
  proxyTrust: loopbackProxy,
  defaultTier: "unlimited",
  sendLimits: { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 },
  signUpsPerHour: 1_000_000,
});

const tooMany = "Too many failed calls from this IP address. Try again later.";

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let owner: SignedUp;
  let sources = 0;
  let source: string;
  beforeEach(async () => {
    owner = await app.signUp();
    sources += 1;
    source = `198.51.${protocol.name === "REST" ? 1 : 2}.${sources}`;
  });

  const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
  test.each([
    ["wrong passwords", "SignIn", () => ({ email: owner.email, password: "not the right one" })],
    ["resets of one address", "StartPasswordReset", () => ({ email: owner.email })],
    [
      "confirmations of a reset that there is not",
      "ConfirmPasswordReset",
      () => ({ reset_id: `vrf_${"A".repeat(22)}`, code: "00000000", new_password: "another good password" }),
    ],
  ] as const)(
    "two hundred %s are let through, then two a second, and other sources' as before",
    async (_what, rpc, input) => {
      const before = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 300 }, () => protocol.call(app, rpc, input(), from(source))),
      );
      const seconds = (performance.now() - before) / 1_000;
      const refused = answers.filter(({ body }) => body.message === tooMany);
      // What came to something, or failed because the server was busy, cost nothing.
      const free = answers.filter(
        ({ code }) => code === "unavailable" || (code === "ok" && rpc === "StartPasswordReset"),
      );
      const fruitless = answers.length - refused.length - free.length;
      expect(fruitless).toBeGreaterThanOrEqual(200 - free.length);
      expect(fruitless).toBeLessThanOrEqual(200 + Math.ceil(2 * seconds));
      expect(refused[0]).toMatchObject({ code: "rate_limited", body: { retry_after: 1 } });
      const other = await protocol.call(app, rpc, input(), from(`203.0.113.${sources}`));
      expect(other.body.message).not.toBe(tooMany);
    },
  );

  test.each(["SignOut", "RefreshSession"] as const)(
    "twenty calls of %s with a token of one session that has ended are let through, and other sessions' as before",
    async (rpc) => {
      const other = await app.signUp();
      await protocol.call(app, "SignOut", { refresh_token: owner.refreshToken });
      const before = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          protocol.call(app, rpc, { refresh_token: owner.refreshToken }, from(`${source.replace(/\d+$/, "")}${index}`)),
        ),
      );
      const seconds = (performance.now() - before) / 1_000;
      const refused = answers.filter(({ code }) => code === "rate_limited");
      expect(refused.length).toBeLessThanOrEqual(20);
      expect(refused.length).toBeGreaterThanOrEqual(20 - Math.ceil(seconds / 10));
      expect(refused[0]?.body.message).toBe("Too many failed calls with tokens of this session. Try again later.");
      const { code } = await protocol.call(app, rpc, { refresh_token: other.refreshToken }, from(source));
      expect(code).toBe("ok");
    },
  );

  test("forged tokens count against nobody, and do not delay anybody's refresh", async () => {
    const garbage = () => protocol.call(app, "SignOut", { refresh_token: "x" }, from(source));
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(Array.from({ length: 100 }, garbage));
      expect(answers.filter(({ code }) => code === "rate_limited")).toEqual([]);
    }
    // Wrong passwords do count against the source.
    const guess = () => protocol.call(app, "SignIn", { email: owner.email, password: "not it" }, from(source));
    const guesses = await Promise.all(Array.from({ length: 250 }, guess));
    expect(guesses.some(({ body }) => body.message === tooMany)).toBe(true);
    const { code } = await protocol.call(app, "RefreshSession", { refresh_token: owner.refreshToken }, from(source));
    expect(code).toBe("ok");
  });

  test("two hundred and fifty successful refreshes in a row are not limited", async () => {
    let token = owner.refreshToken;
    for (let index = 0; index < 250; index += 1) {
      const { code, body } = await protocol.call(app, "RefreshSession", { refresh_token: token }, from(source));
      expect(code).toBe("ok");
      token = body.refresh_token;
    }
  });
});

describe("the count", () => {
  const clockAt = (now: { ms: number }) => ({ monotonicMs: () => now.ms });
  const origin = { clientAddress: "192.0.2.1" };
  const fail = (code: "invalid_api_key" | "unavailable") => async () => {
    throw new AppError(code, "no");
  };
  const codeOf = (run: Promise<unknown>) =>
    run.then(
      () => "ok",
      (error: AppError) => error.code,
    );

  test("is exact, and comes back two a second", async () => {
    const now = { ms: 0 };
    const calls = new FailedCallLimits(clockAt(now));
    const codes = await Promise.all(
      Array.from({ length: 300 }, () => codeOf(calls.runFrom(origin, fail("invalid_api_key")))),
    );
    expect(codes.filter((code) => code === "invalid_api_key")).toHaveLength(200);
    now.ms += 1_000;
    const later = await Promise.all(
      Array.from({ length: 5 }, () => codeOf(calls.runFrom(origin, fail("invalid_api_key")))),
    );
    expect(later.filter((code) => code === "invalid_api_key")).toHaveLength(2);
  });

  test("refuses no successful call, however many are in flight", async () => {
    const calls = new FailedCallLimits(clockAt({ ms: 0 }));
    for (let index = 0; index < 199; index += 1) {
      await codeOf(calls.runFrom(origin, fail("invalid_api_key")));
    }
    const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
    const codes = await Promise.all(Array.from({ length: 300 }, () => codeOf(calls.runFrom(origin, nextTurn))));
    expect(new Set(codes)).toEqual(new Set(["ok"]));
    expect(await codeOf(calls.runFrom(origin, fail("invalid_api_key")))).toBe("invalid_api_key");
    expect(await codeOf(calls.runFrom(origin, nextTurn))).toBe("rate_limited");
  });

  test("limits ended sessions by source as well, so that collecting sessions gives no more calls", async () => {
    const calls = new FailedCallLimits(clockAt({ ms: 0 }));
    const used = async (index: number, clientAddress: string) =>
      codeOf(calls.runOfSession({ sessionId: `ses_${index}` }, { clientAddress }, fail("invalid_api_key")));
    const codes = await Promise.all(Array.from({ length: 2_100 }, (_, index) => used(index, "192.0.2.1")));
    expect(codes.filter((code) => code === "invalid_api_key")).toHaveLength(2_000);
    // Nor does what was refused count against the session.
    expect(await used(2_050, "192.0.2.2")).toBe("invalid_api_key");
  });

  test("leaves out failures that are not the caller's fault", async () => {
    const calls = new FailedCallLimits(clockAt({ ms: 0 }));
    for (let index = 0; index < 300; index += 1) {
      expect(await codeOf(calls.runFrom(origin, fail("unavailable")))).toBe("unavailable");
    }
    expect(await codeOf(calls.runFrom(origin, async () => "done"))).toBe("ok");
  });

  test("treats an IPv6 /64 as one source, and each IPv4 address as its own", async () => {
    const calls = new FailedCallLimits(clockAt({ ms: 0 }));
    for (let index = 0; index < 200; index += 1) {
      await codeOf(calls.runFrom({ clientAddress: `2001:db8::${index.toString(16)}` }, fail("invalid_api_key")));
    }
    expect(await codeOf(calls.runFrom({ clientAddress: "2001:db8::ffff" }, async () => "done"))).toBe("rate_limited");
    expect(await codeOf(calls.runFrom({ clientAddress: "2001:db8:0:1::1" }, async () => "done"))).toBe("ok");
    expect(await codeOf(calls.runFrom({ clientAddress: "192.0.2.1" }, async () => "done"))).toBe("ok");
  });
});
