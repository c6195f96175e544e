/** Guessing passwords is slow, for one account and from one address, and tells nothing about who has an account. */
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { knownSourceSweep } from "../../src/capabilities/accounts/known-sources.ts";
import { Hasher, passwordCost } from "../../src/crypto/argon2-hasher.ts";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { Database } from "../../src/database/database.ts";
import { AppError } from "../../src/errors.ts";
import { exhaustGuesses } from "../capabilities/accounts/exhaust-guesses.ts";
import { password, type SignedUp, startTestApp, type TestApp, useTestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { loopbackProxy } from "../support/loopback-proxy.ts";
import { type Answer, type Protocol, protocols } from "../support/protocols.ts";
import { runCommand } from "../support/run-command.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";
import { sweepAll } from "../support/sweep-all.ts";

const limits = {
  proxyTrust: loopbackProxy,
  defaultTier: "starter",
  sendLimits: { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 },
  signUpsPerHour: 1_000_000,
} as const;

const masterSecret = "a secret of the tests that is long enough";

const app = useTestApp({ ...limits, secrets: [masterSecret] });
let there: TestApp;
let database: Database;
beforeAll(async () => {
  there = await app.startAnother();
  database = await Database.open({
    connection: await connectionTo(app.databaseUrl),
    logger: captureLog().logger,
    ...standardSchema,
  });
});
afterAll(async () => {
  await database.close();
  await there[Symbol.asyncDispose]();
});

let addresses = 0;
/** An address that nothing came from yet. */
function newAddress(): string {
  addresses += 1;
  return `198.51.${Math.floor(addresses / 250)}.${addresses % 250}`;
}

/** For the rest of the test nothing refills but by `advance`. */
async function holdLimits(): Promise<void> {
  onTestFinished(() => app.time.releaseDatabase());
  await app.time.holdDatabase();
}

/** What strangers' guesses come to who go on until they are refused. */
const exhaust = (address: string) =>
  exhaustGuesses({ database, keyring: createKeyring([masterSecret]) }, address, newAddress);

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const signIn = (email: string, secret: string, from: string, server = app): Promise<Answer> =>
    protocol.call(server, "SignIn", { email, password: secret }, { headers: { "x-forwarded-for": from } });

  /**
   * Wrong guesses one after the other, on both servers by turns, each from the address that it is given. They are not really
   * compared, which would take long.
   */
  async function guess(
    email: string,
    guesses: number,
    from: (guess: number) => string,
    [one, other] = [app, there],
  ): Promise<string[]> {
    const match = vi.spyOn(Hasher.prototype, "match").mockResolvedValue(undefined);
    const codes: string[] = [];
    try {
      for (let index = 0; index < guesses; index += 1) {
        const server = index % 2 === 0 ? one : other;
        codes.push((await signIn(email, `wrong password ${index}`, from(index), server)).code);
      }
    } finally {
      match.mockRestore();
    }
    return codes;
  }

  const wrong = (count: number) => new Array<string>(count).fill("invalid_api_key");
  const limited = (count: number) => new Array<string>(count).fill("rate_limited");

  describe("strangers", () => {
    test("have a hundred wrong passwords for an account from all sources and on all servers, then one in ten seconds", async () => {
      await holdLimits();
      const { email } = await app.signUp();
      const from = Array.from({ length: 50 }, newAddress);
      expect(await guess(email, 104, (index) => from[index % 50] ?? "")).toEqual([...wrong(100), ...limited(4)]);
      const refused = await signIn(email, password, newAddress());
      expect(refused).toMatchObject({ code: "rate_limited" });
      expect(refused.body.retry_after).toBeGreaterThanOrEqual(1);
      expect(refused.body.retry_after).toBeLessThanOrEqual(10);
      await app.time.advance({ seconds: 11 });
      expect(await guess(email, 2, newAddress)).toEqual([...wrong(1), ...limited(1)]);
      await app.time.advance({ seconds: 11 });
      expect((await signIn(email, password, newAddress())).code).toBe("ok");
    });

    test("have no more guesses if they guess all at once", async () => {
      const { email } = await app.signUp();
      const answers = await Promise.all(
        Array.from({ length: 150 }, (_, index) =>
          signIn(email, `wrong ${index}`, newAddress(), index % 2 === 0 ? app : there),
        ),
      );
      const codes = answers.map(({ code }) => code);
      // A server that has too much to compare answers `unavailable`, and counts nothing.
      expect(codes.filter((code) => code === "invalid_api_key").length).toBeLessThanOrEqual(100);
      expect(codes.filter((code) => code === "rate_limited").length).toBeGreaterThanOrEqual(50);
    });

    test("are counted the same for an address without an account, however it is written", async () => {
      await holdLimits();
      const email = `nobody-${protocol.name}@example.com`;
      const from = Array.from({ length: 50 }, newAddress);
      expect(await guess(email, 102, (index) => from[index % 50] ?? "")).toEqual([...wrong(100), ...limited(2)]);
      expect((await signIn(email.toUpperCase(), "whatever it is", newAddress())).code).toBe("rate_limited");
    });

    test("get no new guesses when the owner signs in in between", async () => {
      await holdLimits();
      const { email } = await app.signUp();
      const home = newAddress();
      const codes: string[] = [];
      for (let round = 0; round < 6; round += 1) {
        codes.push(...(await guess(email, 20, newAddress)));
        expect((await signIn(email, password, home)).code).toBe("ok");
      }
      expect(codes).toEqual([...wrong(100), ...limited(20)]);
    });
  });

  describe("an owner signs in from where they are used to, while strangers guess from fifty addresses", () => {
    test("where they signed up", async () => {
      const [home, email] = [newAddress(), `home-${protocol.name}@example.com`];
      const headers = { "x-forwarded-for": home };
      expect((await protocol.call(app, "SignUp", { email, password, name: "Acme" }, { headers })).code).toBe("ok");
      await exhaust(email);
      expect((await signIn(email, password, home, there)).code).toBe("ok");
      expect((await signIn(email, password, newAddress())).code).toBe("rate_limited");
    });

    test("where they signed in, also after wrong passwords; ten wrong ones there are still the limit", async () => {
      const { email } = await app.signUp();
      const home = newAddress();
      expect((await signIn(email, password, home)).code).toBe("ok");
      await exhaust(email);
      expect(await guess(email, 9, () => home)).toEqual(wrong(9));
      expect((await signIn(email, password, home, there)).code).toBe("ok");
      expect(await guess(email, 12, () => home)).toEqual([...wrong(10), ...limited(2)]);
      await app.time.advance({ seconds: 61 });
      expect((await signIn(email, password, home)).code).toBe("ok");
    });

    test("in the same IPv6 network of 64 bits, and in no other", async () => {
      const { email } = await app.signUp();
      const network = `2001:db8:${protocol.name === "REST" ? 1 : 2}:1`;
      expect((await signIn(email, password, `${network}::1`)).code).toBe("ok");
      await exhaust(email);
      expect((await signIn(email, password, `${network}:ffff::2`)).code).toBe("ok");
      expect((await signIn(email, password, `${network.slice(0, -1)}2::1`)).code).toBe("rate_limited");
    });

    test("for 90 days; each time they sign in anew", async () => {
      const { email } = await app.signUp();
      const [home, holidays] = [newAddress(), newAddress()];
      expect([(await signIn(email, password, home)).code, (await signIn(email, password, holidays)).code]).toEqual([
        "ok",
        "ok",
      ]);
      await app.time.advance({ seconds: 60 * 86_400 });
      expect((await signIn(email, password, home)).code).toBe("ok");
      await app.time.advance({ seconds: 31 * 86_400 });
      await exhaust(email);
      expect((await signIn(email, password, holidays)).code).toBe("rate_limited");
      expect((await signIn(email, password, home)).code).toBe("ok");
    });

    test("after the master secret was replaced", async () => {
      const replaced = "another secret that is as long as it must be";
      await using before = await startTestApp({ ...limits, secrets: [masterSecret] });
      const { email } = await before.signUp();
      const home = newAddress();
      expect((await signIn(email, password, home, before)).code).toBe("ok");
      await before.app.close();
      await using rotated = await before.startAnother({ ...limits, secrets: [replaced, masterSecret] });
      await guess(email, 110, newAddress, [rotated, rotated]);
      expect((await signIn(email, password, home, rotated)).code).toBe("ok");
      expect((await signIn(email, password, newAddress(), rotated)).code).toBe("rate_limited");
    });

    describe("but not where somebody signed in with a password that was replaced since", () => {
      const replaced = "a password that nobody knows yet";
      /** An account that was signed in to by its owner and by a thief. */
      const stolen = async () => {
        const { email, session } = await app.signUp();
        const [home, thief] = [newAddress(), newAddress()];
        for (const from of [home, thief]) {
          expect((await signIn(email, password, from)).code).toBe("ok");
        }
        return { email, session, home, thief };
      };
      const outcomes = async (email: string, ...from: string[]) => {
        await exhaust(email);
        const codes: string[] = [];
        for (const address of from) {
          codes.push((await signIn(email, replaced, address)).code);
        }
        return codes;
      };

      test("by its user", async () => {
        const { email, session, home, thief } = await stolen();
        const input = { current_password: password, new_password: replaced };
        const headers = { "x-forwarded-for": home };
        expect((await protocol.call(there, "ChangePassword", input, { session, headers })).code).toBe("ok");
        expect(await outcomes(email, thief, home)).toEqual(["rate_limited", "ok"]);
      });

      test("by a code to the address", async () => {
        const { email, session, home, thief } = await stolen();
        await protocol.call(app, "StartEmailVerification", {}, { session });
        const codeIn = async () => /^ {4}(\d+)$/m.exec((await app.messageTo(email)).text)?.[1] ?? "";
        const code = await codeIn();
        expect((await protocol.call(app, "CheckEmailVerification", { code }, { session })).body.status).toBe(
          "approved",
        );
        const headers = { "x-forwarded-for": home };
        const { body } = await protocol.call(app, "StartPasswordReset", { email }, { headers });
        const input = await vi.waitFor(
          async () => {
            expect(await codeIn()).not.toBe(code);
            return { reset_id: body.reset_id, code: await codeIn(), new_password: replaced };
          },
          { timeout: 20_000 },
        );
        expect((await protocol.call(there, "ConfirmPasswordReset", input, { headers })).body.status).toBe("approved");
        expect(await outcomes(email, thief, home)).toEqual(["rate_limited", "ok"]);
      });

      test("by the operator", async () => {
        const { email, session, home, thief } = await stolen();
        await protocol.call(app, "StartEmailVerification", {}, { session });
        const code = /^ {4}(\d+)$/m.exec((await app.messageTo(email)).text)?.[1] ?? "";
        expect((await protocol.call(app, "CheckEmailVerification", { code }, { session })).body.status).toBe(
          "approved",
        );
        await runCommand("reset-password", app.databaseUrl, { options: { email }, input: `${replaced}\n` });
        expect(await outcomes(email, thief, home)).toEqual(["rate_limited", "rate_limited"]);
      });
    });

    test("but an unknown client address is never a known source", async () => {
      const { email } = await app.signUp();
      expect((await signIn(email, password, "nowhere")).code).toBe("ok");
      await exhaust(email);
      expect((await signIn(email, password, "nowhere")).code).toBe("rate_limited");
    });

    test("but not from the sources of a deleted account with the same address", async () => {
      const { email } = await app.signUp();
      const home = newAddress();
      const { body } = await signIn(email, password, home);
      await protocol.call(app, "DeleteAccount", { password }, { session: body.access_token });
      await protocol.call(app, "SignUp", { email, password, name: "Another" });
      await exhaust(email);
      expect((await signIn(email, password, home)).code).toBe("rate_limited");
    });
  });

  test("one client address has ten wrong passwords for an account, existing or not, then one a minute", async () => {
    const { email } = await app.signUp();
    for (const address of [email, `no-${protocol.name}@example.com`]) {
      const from = newAddress();
      expect(await guess(address, 12, () => from)).toEqual([...wrong(10), ...limited(2)]);
      expect((await signIn(address, password, from)).body.retry_after).toBeLessThanOrEqual(60);
    }
  });

  describe("where several unverified accounts have one address", () => {
    const signUp = async (email: string, secret: string, from: string) => {
      const input = { email, password: secret, name: "Acme" };
      return (await protocol.call(app, "SignUp", input, { headers: { "x-forwarded-for": from } })).code;
    };
    const end = async (email: string, secret: string) => {
      const { body } = await signIn(email, secret, newAddress());
      await protocol.call(app, "DeleteAccount", { password: secret }, { session: body.access_token });
    };

    test("a sign-up is an attempt at their password, right or wrong, and counts with those of sign-in", async () => {
      const email = `waiting-${protocol.name}@example.com`.toLowerCase();
      expect(await signUp(email, password, newAddress())).toBe("ok");
      const from = newAddress();
      const codes: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        codes.push(await signUp(email, password, from), await signUp(email, `guess number ${index}`, from));
        await end(email, `guess number ${index}`);
      }
      expect(codes).toEqual(Array(5).fill(["already_exists", "ok"]).flat());
      expect(await signUp(email, password, from)).toBe("rate_limited");
      expect((await signIn(email, password, from)).code).toBe("rate_limited");
    });

    test("a sign-up counts against the limit of all strangers", async () => {
      await holdLimits();
      const email = `strangers-${protocol.name}@example.com`.toLowerCase();
      expect(await signUp(email, password, newAddress())).toBe("ok");
      expect(await guess(email, 99, newAddress)).toEqual(wrong(99));
      expect(await signUp(email, password, newAddress())).toBe("already_exists");
      expect(await signUp(email, password, newAddress())).toBe("rate_limited");
    });

    test("a sign-up whose password could not be compared counts as nothing", async () => {
      const email = `busy-${protocol.name}@example.com`.toLowerCase();
      expect(await signUp(email, password, newAddress())).toBe("ok");
      const from = newAddress();
      const match = vi.spyOn(Hasher.prototype, "match").mockRejectedValue(new AppError("unavailable", "Busy."));
      for (let index = 0; index < 12; index += 1) {
        expect(await signUp(email, "a guess, or not", from)).toBe("unavailable");
      }
      match.mockRestore();
      expect(await signUp(email, password, from)).toBe("already_exists");
    });

    test("the owner of one signs in from a known source while strangers guess; the other accounts are not compared there", async () => {
      const email = `crowded-${protocol.name}@example.com`.toLowerCase();
      const [home, away] = [newAddress(), newAddress()];
      expect(await signUp(email, password, home)).toBe("ok");
      expect(await signUp(email, "the squatter's password", away)).toBe("ok");
      await exhaust(email);
      expect((await signIn(email, password, home, there)).code).toBe("ok");
      expect((await signIn(email, "the squatter's password", away)).code).toBe("ok");
      expect((await signIn(email, password, away)).code).toBe("invalid_api_key");
      expect((await signIn(email, password, newAddress())).code).toBe("rate_limited");
    });

    test("guesses from a source that only one of them knows count against the limit of all strangers", async () => {
      await holdLimits();
      const email = `used-${protocol.name}@example.com`.toLowerCase();
      expect(await signUp(email, password, newAddress())).toBe("ok");
      const squatters = Array.from({ length: 10 }, newAddress);
      expect(await signUp(email, "the squatter's password", newAddress())).toBe("ok");
      for (const from of squatters) {
        expect((await signIn(email, "the squatter's password", from)).code).toBe("ok");
      }
      // One was spent by the sign-up.
      expect(await guess(email, 99, (index) => squatters[Math.floor(index / 10)] ?? "")).toEqual(wrong(99));
      expect((await signIn(email, password, newAddress())).code).toBe("rate_limited");
    });

    test("a session of one has its own guesses at that account's password", async () => {
      const email = `own-${protocol.name}@example.com`.toLowerCase();
      const sessions: string[] = [];
      for (const secret of [password, "the squatter's password"]) {
        const headers = { "x-forwarded-for": newAddress() };
        const input = { email, password: secret, name: "Acme" };
        sessions.push((await protocol.call(app, "SignUp", input, { headers })).body.access_token);
      }
      const change = async (session: string | undefined, current_password: string) => {
        const headers = { "x-forwarded-for": newAddress() };
        const input = { current_password, new_password: "a wholly new password" };
        return (await protocol.call(app, "ChangePassword", input, { session: session ?? "", headers })).code;
      };
      for (let index = 0; index < 10; index += 1) {
        expect(await change(sessions[1], "wrong")).toBe("invalid_password");
      }
      expect(await change(sessions[1], "the squatter's password")).toBe("rate_limited");
      expect(await change(sessions[0], password)).toBe("ok");
    });

    test("the right password of one of them does not forgive guesses at another's", async () => {
      const email = `squatted-${protocol.name}@example.com`.toLowerCase();
      expect(await signUp(email, password, newAddress())).toBe("ok");
      expect(await signUp(email, "the squatter's password", newAddress())).toBe("ok");
      const from = newAddress();
      const codes: string[] = [];
      for (let index = 0; index < 11; index += 1) {
        codes.push((await signIn(email, `guess number ${index}`, from)).code);
        codes.push((await signIn(email, "the squatter's password", from)).code);
      }
      expect(codes.slice(0, 19)).toEqual(Array(10).fill(["invalid_api_key", "ok"]).flat().slice(0, 19));
      expect(codes.slice(19)).toEqual(limited(3));
    });
  });

  test("the right password resets the count of wrong ones from the same client address", async () => {
    const { email } = await app.signUp();
    const from = newAddress();
    for (let round = 0; round < 3; round += 1) {
      expect(await guess(email, 9, () => from)).toEqual(wrong(9));
      expect((await signIn(email, password, from)).code).toBe("ok");
    }
  });

  test("one client address has thirty wrong passwords for all accounts together; others are not limited by it", async () => {
    const from = newAddress();
    const { email } = await app.signUp();
    const codes: string[] = [];
    for (let index = 0; index < 32; index += 1) {
      codes.push((await signIn(`someone-${protocol.name}-${index}@example.com`, "wrong", from)).code);
    }
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(2);
    expect((await signIn(email, password, from)).code).toBe("rate_limited");
    expect((await signIn(email, password, newAddress())).code).toBe("ok");
  });

  test("signing in with the right password is not limited", async () => {
    const { email } = await app.signUp();
    const from = newAddress();
    for (let round = 0; round < 40; round += 1) {
      expect((await signIn(email, password, from)).code).toBe("ok");
    }
  });

  describe("somebody who is signed in", () => {
    const change = (session: string, current_password: string) => {
      const headers = { "x-forwarded-for": newAddress() };
      const input = { current_password, new_password: "a wholly new password" };
      return protocol.call(app, "ChangePassword", input, { session, headers });
    };

    test("changes the password from wherever they are, while strangers guess", async () => {
      const { email, session }: SignedUp = await app.signUp();
      await exhaust(email);
      expect((await change(session, password)).code).toBe("ok");
    });

    test("has ten guesses, from whichever addresses and by whichever sessions and keys", async () => {
      const { email, session }: SignedUp = await app.signUp();
      const other = (await signIn(email, password, newAddress())).body.access_token;
      const { body } = await protocol.call(app, "CreateApiKey", { name: "a key" }, { session });
      const codes: string[] = [];
      for (let index = 0; index < 12; index += 1) {
        const headers = { "x-forwarded-for": newAddress() };
        const credentials = index % 3 === 0 ? { key: body.key } : { session: index % 3 === 1 ? session : other };
        const { code } = await (index % 2 === 0
          ? protocol.call(app, "DeleteAccount", { password: "wrong" }, { ...credentials, headers })
          : change(session, "wrong"));
        codes.push(code);
      }
      expect(codes).toEqual([...new Array(10).fill("invalid_password"), ...limited(2)]);
      expect((await signIn(email, password, newAddress())).code).toBe("ok");
      await app.time.advance({ seconds: 61 });
      expect((await change(session, password)).code).toBe("ok");
    });
  });

  describe("a server that is too busy to compare", () => {
    afterEach(() => {
      vi.restoreAllMocks();
    });

    test("counts nothing: not ten refusals, and not a hundred", async () => {
      await holdLimits();
      const { email } = await app.signUp();
      const from = newAddress();
      vi.spyOn(Hasher.prototype, "verify").mockRejectedValue(
        new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 }),
      );
      for (let round = 0; round < 100; round += 1) {
        expect((await signIn(email, password, from)).code).toBe("unavailable");
      }
      for (let round = 0; round < 20; round += 1) {
        expect((await signIn(email, password, newAddress())).code).toBe("unavailable");
      }
      vi.restoreAllMocks();
      expect(await guess(email, 10, () => from)).toEqual(wrong(10));
      expect(await guess(email, 91, newAddress)).toEqual([...wrong(90), ...limited(1)]);
    });

    test("accepts a right password, and upgrades its hash another time", async () => {
      const { email } = await app.signUp();
      vi.spyOn(Hasher.prototype, "isOutdated").mockReturnValue(true);
      vi.spyOn(Hasher.prototype, "hash").mockRejectedValue(new AppError("unavailable", "The service is busy."));
      expect((await signIn(email, password, newAddress())).code).toBe("ok");
    });
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

/** Hashes as in production, 30 ms of a core each, all of which wait in one queue: the protocol of a call makes no difference to it. */
describe("a server that has far more passwords to compare than it can", () => {
  const from = (address: string) => ({ "x-forwarded-for": address });
  const signIn = async (real: TestApp, email: string, address: string) =>
    (await real.rest("POST", "/auth/sign-in", { body: { email, password }, headers: from(address) })).status;

  test("does not keep a right password out: 150 simultaneous sign-ups", async () => {
    await using real = await startTestApp(limits, { passwordCost });
    const { email } = await real.signUp();
    const home = newAddress();
    const signUps = Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        real.rest("POST", "/auth/sign-up", {
          body: { email: `flood-${index}@example.com`, password, name: "Flood" },
          headers: from(newAddress()),
        }),
      ),
    );
    const answers = await Promise.all(Array.from({ length: 6 }, () => signIn(real, email, home)));
    expect(answers).toEqual(new Array(6).fill(200));
    expect(new Set((await signUps).map(({ status }) => status))).toContain(201);
  });

  test("does not keep out somebody at a known source: simultaneous sign-ins from 250 client addresses", async () => {
    await using real = await startTestApp(limits, { passwordCost });
    const { email } = await real.signUp();
    const home = newAddress();
    expect(await signIn(real, email, home)).toBe(200);
    const strangers = Promise.all(
      Array.from({ length: 250 }, (_, index) => signIn(real, `stranger-${index}@example.com`, newAddress())),
    );
    const answers = await Promise.all(Array.from({ length: 6 }, () => signIn(real, email, home)));
    expect(answers).toEqual(new Array(6).fill(200));
    await strangers;
  });
});

test("an unknown address takes as long as a wrong password", async () => {
  await using real = await startTestApp(limits, { passwordCost });
  const { email } = await real.signUp();
  const time = async (address: string) => {
    const startedMs = performance.now();
    await real.rest("POST", "/auth/sign-in", {
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

test("of known sources the database keeps no address, and nothing beyond 90 days", async () => {
  const { email } = await app.signUp();
  const headers = { "x-forwarded-for": "203.0.113.77" };
  expect((await app.rest("POST", "/auth/sign-in", { body: { email, password }, headers })).status).toBe(200);
  const known = async () => {
    const text = "SELECT account_id, source, expires_at - byond_now() <= interval '90 days' AS ends FROM known_source";
    return querySql<{ account_id: string; source: Buffer; ends: boolean }>(database, { name: "dump", text }, []);
  };
  const rows = await known();
  expect(rows.length).toBeGreaterThanOrEqual(2);
  expect(rows.every(({ source, ends }) => source.length === 32 && ends)).toBe(true);
  expect(new Set(rows.map(({ source }) => source.toString("hex"))).size).toBe(rows.length);
  await app.time.advance({ seconds: 91 * 86_400 });
  await sweepAll(knownSourceSweep({ database }));
  expect(await known()).toEqual([]);
});
