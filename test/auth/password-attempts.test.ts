/** Guessing passwords is slow, for one account and from one address, and tells nothing about who has an account. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseIpRange } from "../../src/rpc/access/ip-range.ts";
import { password, type SignedUp, startTestApp, type TestApp } from "../support/app.ts";
import { type Answer, type Protocol, protocols } from "../support/protocols.ts";

let app: TestApp;
let there: TestApp;
beforeAll(async () => {
  const trustedProxies = ["127.0.0.0/8", "::1"].map(parseIpRange).filter((range) => typeof range !== "string");
  app = await startTestApp({
    limits: {
      proxyTrust: { header: "x-forwarded-for", trustedProxies },
      defaultTier: "starter",
      sendLimits: { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 },
      signUpsPerHour: 1_000_000,
    },
  });
  there = await app.startAnother();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

let addresses = 0;
/** An address that nothing came from yet. */
function newAddress(): string {
  addresses += 1;
  return `198.51.${Math.floor(addresses / 250)}.${addresses % 250}`;
}

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const signIn = (email: string, secret: string, from: string, server = app): Promise<Answer> =>
    protocol.call(server, "SignIn", { email, password: secret }, { headers: { "x-forwarded-for": from } });

  async function guessUntilRefused(email: string, guesses: number): Promise<string[]> {
    const codes: string[] = [];
    for (let guess = 0; guess < guesses; guess += 1) {
      const server = guess % 2 === 0 ? app : there;
      codes.push((await signIn(email, `wrong password ${guess}`, newAddress(), server)).code);
    }
    return codes;
  }

  const tenThenLimited = [...Array.from({ length: 10 }, () => "invalid_api_key"), "rate_limited", "rate_limited"];

  test("ten wrong passwords for an account, from wherever and on whichever server, then one a minute", async () => {
    const { email } = await app.signUp();
    expect(await guessUntilRefused(email, 12)).toEqual(tenThenLimited);
    const refused = await signIn(email, password, newAddress());
    expect(refused).toMatchObject({ code: "rate_limited" });
    expect(refused.body.retry_after).toBeGreaterThanOrEqual(1);
    expect(refused.body.retry_after).toBeLessThanOrEqual(60);
    await app.time.advance({ seconds: 61 });
    expect((await signIn(email, password, newAddress())).code).toBe("ok");
  });

  test("an address without an account is counted just the same, however it is written", async () => {
    const email = `nobody-${protocol.name}@example.com`;
    expect(await guessUntilRefused(email, 12)).toEqual(tenThenLimited);
    expect((await signIn(email.toUpperCase(), "whatever it is", newAddress())).code).toBe("rate_limited");
  });

  test("the right password takes back what wrong ones have counted", async () => {
    const { email } = await app.signUp();
    for (let round = 0; round < 3; round += 1) {
      expect((await guessUntilRefused(email, 9)).every((code) => code === "invalid_api_key")).toBe(true);
      expect((await signIn(email, password, newAddress())).code).toBe("ok");
    }
  });

  test("thirty wrong passwords from one address, for whichever accounts; others are not held up", async () => {
    const from = newAddress();
    const { email } = await app.signUp();
    const codes: string[] = [];
    for (let guess = 0; guess < 32; guess += 1) {
      codes.push((await signIn(`someone-${protocol.name}-${guess}@example.com`, "wrong", from)).code);
    }
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(2);
    expect((await signIn(email, password, from)).code).toBe("rate_limited");
    expect((await signIn(email, password, newAddress())).code).toBe("ok");
  });

  test("signing in with the right password uses nothing up", async () => {
    const { email } = await app.signUp();
    const from = newAddress();
    for (let round = 0; round < 40; round += 1) {
      expect((await signIn(email, password, from)).code).toBe("ok");
    }
  });

  test("deleting the account and changing the password are guesses too", async () => {
    const { email, session }: SignedUp = await app.signUp();
    const codes: string[] = [];
    for (let guess = 0; guess < 11; guess += 1) {
      const headers = { "x-forwarded-for": newAddress() };
      const { code } = await (guess % 2 === 0
        ? protocol.call(app, "DeleteAccount", { password: "wrong" }, { session, headers })
        : protocol.call(
            app,
            "ChangePassword",
            { current_password: "wrong", new_password: password },
            { session, headers },
          ));
      codes.push(code);
    }
    expect(codes).toEqual([...Array.from({ length: 10 }, () => "invalid_password"), "rate_limited"]);
    expect((await signIn(email, password, newAddress())).code).toBe("rate_limited");
  });

  test("an unknown address and a wrong password get the same answer", async () => {
    const { email } = await app.signUp();
    const [wrong, unknown, malformed] = [
      await signIn(email, "not the password", newAddress()),
      await signIn(`unknown-${protocol.name}@example.com`, "not the password", newAddress()),
      await signIn("not an address", "not the password", newAddress()),
    ];
    const same = { ...wrong?.body, request_id: "" };
    expect({ ...unknown?.body, request_id: "" }).toEqual(same);
    expect({ ...malformed?.body, request_id: "" }).toEqual(same);
  });
});

test("an unknown address takes as long as a wrong password", async () => {
  const { email } = await app.signUp();
  const time = async (address: string) => {
    const startedMs = performance.now();
    await app.rest("POST", "/auth/sign-in", {
      body: { email: address, password: "not the password" },
      headers: { "x-forwarded-for": newAddress() },
    });
    return performance.now() - startedMs;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    known.push(await time(email));
    unknown.push(await time(`time-${round}@example.com`));
  }
  // Without the decoy an unknown address is ten times faster.
  expect(Math.min(...unknown)).toBeGreaterThan(Math.min(...known) / 2);
});
