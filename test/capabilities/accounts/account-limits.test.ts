/** Sign-ups are limited by source, so that making accounts does not multiply the limits of one account. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Hasher } from "../../../src/crypto/argon2-hasher.ts";
import { password, type TestApp, useTestApp } from "../../support/app.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";

const here = useTestApp({
  proxyTrust: loopbackProxy,
  defaultTier: "starter",
  sendLimits: { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 },
  signUpsPerHour: 20,
});
let there: TestApp;
beforeAll(async () => {
  there = await here.startAnother();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
});

let accounts = 0;

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const signUp = (from: string, server = here, email?: string) => {
    accounts += 1;
    const input = { email: email ?? `robot-${accounts}@example.com`, password, name: "Robot" };
    return protocol.call(server, "SignUp", input, { headers: { "x-forwarded-for": from } });
  };
  const burst = async (froms: readonly string[]) => {
    const codes: string[] = [];
    for (const [index, from] of froms.entries()) {
      codes.push((await signUp(from, index % 2 === 0 ? here : there)).code);
    }
    return codes;
  };
  const tenThenLimited = [...Array.from({ length: 10 }, () => "ok"), "rate_limited", "rate_limited"];
  const host = protocol.name === "REST" ? 1 : 2;

  test("ten from one source on all servers together, then as many an hour as the setting says", async () => {
    const source = `192.0.2.${host}`;
    expect(await burst(Array.from({ length: 12 }, () => source))).toEqual(tenThenLimited);
    const { body } = await signUp(source);
    expect(body.message).toBe("Too many sign-ups from this IP address. Try again later.");
    expect(body.retry_after).toBeGreaterThanOrEqual(1);
    expect(body.retry_after).toBeLessThanOrEqual(180);
    expect((await signUp("192.0.2.99")).code).toBe("ok");
    await here.time.advance({ seconds: 181 });
    expect(await burst([source, source])).toEqual(["ok", "rate_limited"]);
  });

  test("a /64 is one source, whatever its addresses", async () => {
    const froms = Array.from({ length: 12 }, (_, index) => `2001:db8:${host}:1::${index + 1}`);
    expect(await burst(froms)).toEqual(tenThenLimited);
    expect((await signUp(`2001:db8:${host}:2::1`)).code).toBe("ok");
  });

  test("failed sign-ups count too, and a refused one costs no hash", async () => {
    const source = `198.51.100.${host}`;
    const email = `taken-${protocol.name}@example.com`;
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await signUp(source, here, email);
    }
    const hash = vi.spyOn(Hasher.prototype, "hash");
    expect((await signUp(source)).code).toBe("rate_limited");
    expect(hash).not.toHaveBeenCalled();
    hash.mockRestore();
  });

  test("a sign-up that is already_exists counts like any other, with no longer wait", async () => {
    const source = `198.51.100.${host + 10}`;
    const taken = `known-${protocol.name}@example.com`.toLowerCase();
    expect((await signUp(`192.0.2.${host + 20}`, there, taken)).code).toBe("ok");
    for (let index = 0; index < 8; index += 1) {
      expect((await signUp(source, here, taken)).code).toBe("already_exists");
    }
    // Whoever shares the source still signs up.
    expect((await signUp(source, there)).code).toBe("ok");
    expect((await signUp(source, here, taken)).code).toBe("already_exists");
    expect((await signUp(source, here, taken)).code).toBe("rate_limited");
    expect((await signUp(source, there)).body.retry_after).toBeLessThanOrEqual(180);
    await here.time.advance({ seconds: 181 });
    expect((await signUp(source, there)).code).toBe("ok");

    const crowd = `198.51.100.${host + 20}`;
    const atOnce = await Promise.all(Array.from({ length: 14 }, () => signUp(crowd, here, taken)));
    expect(atOnce.filter(({ code }) => code === "already_exists")).toHaveLength(10);
    const refused = atOnce.filter(({ code }) => code === "rate_limited");
    expect(refused).toHaveLength(4);
    await here.time.advance({ seconds: 181 });
    expect((await signUp(crowd)).code).toBe("ok");
  });

  test("the answer does not reveal why an address cannot be signed up with", async () => {
    const messages = new Set<string>();
    const input = (email: string, secret: string) => ({ email, password: secret, name: "Acme" });
    const from = { "x-forwarded-for": `198.51.100.${host + 30}` };
    const answer = async (email: string, secret: string) => {
      const { code, body } = await protocol.call(here, "SignUp", input(email, secret), { headers: from });
      if (code !== "ok") {
        messages.add(`${code} ${body.message}`);
      }
      return String(body.workspace_id);
    };
    const crowded = `crowded-${protocol.name}@example.com`.toLowerCase();
    for (let index = 0; index < 4; index += 1) {
      await answer(crowded, `the password number ${index}`);
    }
    const repeated = `repeated-${protocol.name}@example.com`.toLowerCase();
    await answer(repeated, password);
    await answer(repeated, password);
    const verified = `verified-${protocol.name}@example.com`.toLowerCase();
    await verifyEmailOf(here.databaseUrl, await answer(verified, password));
    await answer(verified, "another password");
    expect([...messages]).toEqual([
      "already_exists No account can be created with this email address. If it is yours, sign in, or reset the password.",
    ]);
  });
});
