/** An address belongs to the account that verifies it, not to the one that signed up with it first. */

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { Hasher } from "../../../src/crypto/argon2-hasher.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { Database } from "../../../src/database/database.ts";
import { password, type TestApp, useTestApp } from "../../support/app.ts";
import { connectionTo } from "../../support/database-address.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { captureLog } from "../../support/log-capture.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";
import { type Answer, type Protocol, protocols } from "../../support/protocols.ts";
import { runCommand } from "../../support/run-command.ts";
import { standardSchema } from "../../support/schema.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { exhaustGuesses } from "./exhaust-guesses.ts";

const noRoom = "No account can be created with this email address. If it is yours, sign in, or reset the password.";

const secret = "a secret of the tests that is long enough";

const here = useTestApp({
  ...limitsOf(),
  secrets: [secret],
  signUpsPerHour: 1_000_000,
  proxyTrust: loopbackProxy,
});
let there: TestApp;
let database: Database;
beforeAll(async () => {
  there = await here.startAnother();
  database = await Database.open({
    connection: await connectionTo(here.databaseUrl),
    logger: captureLog().logger,
    ...standardSchema,
  });
});
afterAll(async () => {
  await database.close();
  await there[Symbol.asyncDispose]();
});

let addresses = 0;
let sources = 0;

interface Account {
  readonly session: string;
  readonly refreshToken: string;
  readonly workspaceId: string;
  readonly userId: string;
}

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let email: string;
  let codes: number;
  /** Where people sign up and in: a place of each test's own, since attempts are counted by source. */
  let headers: Record<string, string>;
  beforeEach(() => {
    addresses += 1;
    headers = { "x-forwarded-for": `192.0.2.${addresses}` };
    email = `contested-${addresses}@example.com`;
    codes = 0;
  });
  const accountOf = ({ code, body }: Answer): Account => {
    expect(code).toBe("ok");
    const { access_token: session, refresh_token: refreshToken, workspace_id: workspaceId, user_id: userId } = body;
    return { session, refreshToken, workspaceId, userId };
  };
  const signUp = (secret: string, server = here) =>
    protocol.call(server, "SignUp", { email, password: secret, name: "Acme" }, { headers });
  const signIn = (secret: string, server = here) =>
    protocol.call(server, "SignIn", { email, password: secret }, { headers });
  const mint = async ({ session }: Account, mode = "live"): Promise<string> =>
    (await protocol.call(here, "CreateApiKey", { name: "key", mode }, { session })).body.key;
  const lookup = async (server: TestApp, key: string) =>
    (await protocol.call(server, "LookupNumber", { number: "1" }, { key })).code;
  const me = (server: TestApp, { session }: Account) => protocol.call(server, "GetMe", {}, { session });
  const check = (code: string, { session }: Account) =>
    protocol.call(here, "CheckEmailVerification", { code }, { session });

  /** The code that was sent to the address just now: there is one message more than before. */
  async function codeFor({ session }: Account): Promise<string> {
    expect((await protocol.call(here, "StartEmailVerification", {}, { session })).body.status).toBe("pending");
    return nextCode();
  }
  async function nextCode(): Promise<string> {
    codes += 1;
    const sent = await vi.waitFor(
      async () => {
        const messages = (await here.inbox()).filter(({ recipient }) => recipient === email);
        expect(messages).toHaveLength(codes);
        return messages;
      },
      { timeout: 20_000 },
    );
    return /^ {4}(\d+)$/m.exec(sent[0]?.text ?? "")?.[1] ?? "";
  }
  /** How many passwords are hashed, and how many verified, for a sign-in with a wrong password. */
  async function computationsOf(secret: string): Promise<number[]> {
    const spies = [vi.spyOn(Hasher.prototype, "hash"), vi.spyOn(Hasher.prototype, "verify")];
    expect((await signIn(secret)).code).toBe("invalid_api_key");
    const counts = spies.map(({ mock }) => mock.calls.length);
    for (const spy of spies) {
      spy.mockRestore();
    }
    return counts;
  }

  const wrong = (code: string) => (code.startsWith("0") ? code.replace(/^0/, "1") : code.replace(/^./, "0"));

  test("a verified account inherits nothing, and the other accounts of its address have ended on every server when the call returns", async () => {
    const squatter = accountOf(await signUp("the squatter's password"));
    const keys = [await mint(squatter), await mint(squatter, "test")];
    for (const key of keys) {
      expect([await lookup(here, key), await lookup(there, key)]).toEqual(["ok", "ok"]);
    }
    expect((await me(there, squatter)).body.verified).toBe(false);

    const owner = accountOf(await signUp(password, there));
    expect(owner.workspaceId).not.toBe(squatter.workspaceId);
    expect((await check(await codeFor(owner), owner)).body).toEqual({ status: "approved", verified: true });
    for (const server of [there, here]) {
      for (const key of keys) {
        expect(await lookup(server, key)).toBe("invalid_api_key");
      }
      expect((await me(server, squatter)).code).toBe("invalid_api_key");
      expect((await me(server, owner)).body).toMatchObject({ verified: true, workspace_id: owner.workspaceId });
    }
    const { refreshToken: refresh_token } = squatter;
    expect((await protocol.call(there, "RefreshSession", { refresh_token })).code).toBe("invalid_api_key");
    expect((await signIn("the squatter's password", there)).code).toBe("invalid_api_key");
    expect((await signIn(password, there)).body.user_id).toBe(owner.userId);
    expect((await protocol.call(here, "ListApiKeys", {}, { session: owner.session })).body.keys).toEqual([]);
    expect((await signUp("one more password")).body.message).toBe(noRoom);
  });

  test("of two accounts that verify one address at the same moment, one keeps it and the other ends", async () => {
    const one = accountOf(await signUp("the password of one"));
    const other = accountOf(await signUp("the password of the other"));
    const [first, second] = [await codeFor(one), await codeFor(other)];
    const answers = await Promise.all([check(first, one), check(second, other)]);
    const won = answers.findIndex(({ code }) => code === "ok");
    expect(answers[won]?.body).toEqual({ status: "approved", verified: true });
    expect(answers[1 - won]?.code).toBe("invalid_api_key");
    const [winner, loser] = won === 0 ? [one, other] : [other, one];
    expect((await me(there, winner)).body.verified).toBe(true);
    expect((await me(there, loser)).code).toBe("invalid_api_key");
  });

  test("a sign-up while the owner verifies the address makes no account", async () => {
    const owner = accountOf(await signUp(password));
    const code = await codeFor(owner);
    const { hash } = Hasher.prototype;
    const hashing = vi.spyOn(Hasher.prototype, "hash").mockImplementationOnce(async function (this: Hasher, ...args) {
      expect((await check(code, owner)).body.status).toBe("approved");
      return hash.apply(this, args);
    });
    const answer = await signUp("the squatter's password", there);
    hashing.mockRestore();
    expect(answer.code).toBe("already_exists");
    expect((await signIn("the squatter's password")).code).toBe("invalid_api_key");
    expect((await me(there, owner)).body.verified).toBe(true);
  });

  test("a right code for an address that another account has verified is already_exists", async () => {
    const one = accountOf(await signUp("the password of one"));
    const other = accountOf(await signUp("the password of the other"));
    const code = await codeFor(one);
    await verifyEmailOf(here.databaseUrl, other.workspaceId);
    expect((await check(code, one)).code).toBe("already_exists");
    expect((await me(there, other)).body.verified).toBe(true);
  });

  test("wrong codes for one account do not lock the code of another account with its address", async () => {
    const squatter = accountOf(await signUp("the squatter's password"));
    const owner = accountOf(await signUp(password));
    const outcomes: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      const code = await codeFor(squatter);
      for (let guess = 0; guess < 5; guess += 1) {
        outcomes.push((await check(wrong(code), squatter)).body.status);
      }
    }
    expect(outcomes).toHaveLength(10);
    expect((await protocol.call(here, "StartEmailVerification", {}, { session: squatter.session })).code).toBe(
      "rate_limited",
    );
    expect((await check(await codeFor(owner), owner)).body.status).toBe("approved");
  });

  test("verifying an address does not verify another one that looks alike", async () => {
    const accounts = new Map<string, Account>();
    for (const local of ["⑴", "x🄁", "²", "2", "½x"]) {
      email = `${local}odd-${addresses}@example.com`;
      const account = accountOf(await signUp(password));
      expect((await me(there, account)).body.email).toBe(email);
      codes = 0;
      expect((await check(await codeFor(account), account)).body.status).toBe("approved");
      accounts.set(email, account);
    }
    for (const [address, { userId }] of accounts) {
      email = address;
      expect((await signIn(password)).body.user_id).toBe(userId);
    }
  });

  test("accounts whose address is stored in an older normal form can sign in and reset their password", async () => {
    email = `ö-${addresses}@example.com`;
    const account = accountOf(await signUp(password));
    const asWritten = `Ö-${addresses}@EXAMPLE.com`;
    const answer = await protocol.call(there, "SignIn", { email: asWritten, password }, { headers });
    expect(answer.body.user_id).toBe(account.userId);
    await protocol.call(here, "StartPasswordReset", { email: asWritten }, { headers });
    expect(await nextCode()).toMatch(/^\d{8}$/);
  });

  test("a mailbox gets at most twelve new accounts, however its address is spelt, and five from one source", async () => {
    const place = () => {
      sources += 1;
      return `2001:db8:3:${sources.toString(16)}::1`;
    };
    const signUpAs = async (address: string, from: string) => {
      const input = { email: address, password, name: "Acme" };
      return (await protocol.call(here, "SignUp", input, { headers: { "x-forwarded-for": from } })).code;
    };
    const outcomes: string[] = [];
    for (const from of [place(), place(), place()]) {
      for (let account = 0; account < 6; account += 1) {
        outcomes.push(await signUpAs(`new.box${addresses}+${outcomes.length}@gmail.com`, from));
      }
    }
    const [made, refused] = ["ok", "rate_limited"];
    expect(outcomes).toEqual([
      ...[...Array(5).fill(made), refused],
      ...[...Array(5).fill(made), refused],
      ...[...Array(2).fill(made), ...Array(4).fill(refused)],
    ]);
    expect(await signUpAs(`newbox${addresses}@googlemail.com`, place())).toBe(refused);
    expect(await signUpAs(`newbox${addresses}@example.com`, place())).toBe(made);
  });

  describe("guesses at the code of an address", () => {
    /** Signs up, guesses ten times from the source, and deletes the account: the outcomes. */
    async function guessTen(from: string, address: string): Promise<string[]> {
      const headers = { "x-forwarded-for": from };
      const input = { email: address, password: "the squatter's password", name: "Acme" };
      const { session } = accountOf(await protocol.call(here, "SignUp", input, { headers }));
      const outcomes: string[] = [];
      for (let round = 0; round < 2; round += 1) {
        await protocol.call(here, "StartEmailVerification", {}, { session });
        for (let guess = 0; guess < 5; guess += 1) {
          const answer = await protocol.call(
            there,
            "CheckEmailVerification",
            { code: "1234567" },
            { session, headers },
          );
          outcomes.push(answer.code === "ok" ? answer.body.status : answer.code);
        }
      }
      const deletion = { password: "the squatter's password" };
      expect((await protocol.call(here, "DeleteAccount", deletion, { session, headers })).code).toBe("ok");
      return outcomes;
    }
    const ten = Array(2)
      .fill([...Array(4).fill("incorrect"), "locked"])
      .flat();
    const source = () => {
      sources += 1;
      return `2001:db8:2:${sources.toString(16)}::1`;
    };

    test("are at most twenty from one source, however many accounts are made for them; the owner's count separately", async () => {
      const from = source();
      expect(await guessTen(from, email)).toEqual(ten);
      expect(await guessTen(from, email.replace("@", "+tag@"))).toEqual(ten);
      expect(await guessTen(from, email)).toEqual(Array(10).fill("rate_limited"));
      const owner = accountOf(await signUp(password));
      codes = (await here.inbox()).filter(({ recipient }) => recipient === email).length;
      expect((await check(await codeFor(owner), owner)).body.status).toBe("approved");
    });

    test("are at most a hundred from all sources", async () => {
      for (let round = 0; round < 10; round += 1) {
        expect(await guessTen(source(), email)).toEqual(ten);
      }
      expect(await guessTen(source(), email)).toEqual(Array(10).fill("rate_limited"));
    });
  });

  test("of simultaneous sign-ups for one address three succeed, and one of those with the same password", async () => {
    const secrets = Array.from({ length: 8 }, (_, index) => `password number ${Math.floor(index / 2)}`);
    const answers = await Promise.all(secrets.map((secret, index) => signUp(secret, index % 2 === 0 ? here : there)));
    const made = secrets.filter((_, index) => answers[index]?.code === "ok");
    expect(made).toHaveLength(3);
    expect(new Set(made).size).toBe(3);
    expect(answers.filter(({ code }) => code !== "ok").map(({ code }) => code)).toEqual(
      Array(5).fill("already_exists"),
    );
  });

  test("a key that is created while another account verifies the address does not work afterwards", async () => {
    const squatter = accountOf(await signUp("the squatter's password"));
    const owner = accountOf(await signUp(password));
    const code = await codeFor(owner);
    const minting = Array.from({ length: 20 }, (_, index) =>
      protocol.call(index % 2 === 0 ? here : there, "CreateApiKey", { name: "k" }, { session: squatter.session }),
    );
    const proof = check(code, owner);
    const minted = (await Promise.all(minting)).flatMap((answer) => (answer.code === "ok" ? [answer.body.key] : []));
    expect((await proof).body.verified).toBe(true);
    for (const key of minted) {
      expect([await lookup(here, key), await lookup(there, key)]).toEqual(["invalid_api_key", "invalid_api_key"]);
    }
  });

  test("each of three unverified accounts of one address is signed in to by its password, with one hash comparison", async () => {
    const accounts = [accountOf(await signUp("password number 1")), accountOf(await signUp("password number 2"))];
    expect((await signUp("password number 2")).body.message).toBe(noRoom);
    accounts.push(accountOf(await signUp("password number 3", there)));
    expect(await signUp("password number 4")).toMatchObject({
      code: "already_exists",
      body: {
        message: noRoom,
      },
    });
    for (const [index, { userId }] of accounts.entries()) {
      expect((await signIn(`password number ${index + 1}`)).body.user_id).toBe(userId);
    }
    expect(await computationsOf("none of them")).toEqual([1, 0]);
    for (const [index, { session, userId }] of accounts.entries()) {
      const input = { current_password: `password number ${index + 1}`, new_password: `another password ${index}` };
      expect((await protocol.call(there, "ChangePassword", input, { session })).code).toBe("ok");
      expect((await signIn(`another password ${index}`)).body.user_id).toBe(userId);
    }
    expect(await computationsOf("none of them")).toEqual([1, 0]);
    const outdated = vi.spyOn(Hasher.prototype, "isOutdated").mockReturnValue(true);
    for (const index of accounts.keys()) {
      expect((await signIn(`another password ${index}`)).code).toBe("ok");
    }
    outdated.mockRestore();
    expect(await computationsOf("none of them")).toEqual([1, 0]);
  });

  describe("a forgotten password", () => {
    /** From a network of its own each time, unless it is said. */
    const startReset = (address = email, from?: string) => {
      sources += 1;
      const headers = { "x-forwarded-for": from ?? `2001:db8:0:${sources.toString(16)}::1` };
      return protocol.call(here, "StartPasswordReset", { email: address }, { headers });
    };
    const confirm = (reset_id: string, code: string, new_password = "an altogether new password", server = there) =>
      protocol.call(server, "ConfirmPasswordReset", { reset_id, code, new_password });

    test("is replaced by a code to the address, which ends all sessions everywhere and keeps the keys", async () => {
      const account = accountOf(await signUp(password));
      await check(await codeFor(account), account);
      const key = await mint(account);
      const other = accountOf(await signIn(password, there));
      const { code, body } = await startReset(email.toUpperCase());
      expect([code, body.status]).toEqual(["ok", "pending"]);
      const sent = await nextCode();
      expect(sent).toMatch(/^\d{8}$/);
      expect((await confirm(body.reset_id, wrong(sent))).body).toEqual({ status: "incorrect" });
      expect((await me(there, other)).code).toBe("ok");
      expect((await confirm(body.reset_id, sent)).body).toEqual({ status: "approved" });
      for (const server of [here, there]) {
        expect((await me(server, account)).code).toBe("invalid_api_key");
        expect((await me(server, other)).code).toBe("invalid_api_key");
        expect(await lookup(server, key)).toBe("ok");
      }
      expect((await signIn(password)).code).toBe("invalid_api_key");
      expect((await signIn("an altogether new password")).body.user_id).toBe(account.userId);
      expect((await confirm(body.reset_id, sent)).body).toEqual({ status: "expired" });
    });

    test("is replaced by a code whose mail says what the code does, as that of another code does not", async () => {
      await codeFor(accountOf(await signUp(password)));
      await startReset();
      const code = await nextCode();
      const [reset, proof] = (await here.inbox()).filter(({ recipient }) => recipient === email);
      expect(reset?.subject).toBe("Set a new password for your Byond account");
      expect(reset?.text).toBe(
        [
          "Set a new password",
          "",
          `This code sets a new password for the Byond account with this email address at ${here.url}:`,
          "",
          `    ${code}`,
          "",
          "It expires in 15 minutes.",
          "",
          "Anyone who has this code can take over the account. Never share it with anyone, and enter it only where you asked for it yourself. If you did not ask for it, ignore this email: your password stays as it is.",
          "",
        ].join("\n"),
      );
      expect(reset?.html).toContain("Anyone who has this code can take over the account.");
      expect(proof?.subject).toBe("Your Byond verification code");
      expect(`${proof?.text}${proof?.html}`).not.toContain("password");
    });

    test("whoever has reset it can sign in from the same source while strangers guess", async () => {
      const account = accountOf(await signUp(password));
      await check(await codeFor(account), account);
      const { body } = await startReset();
      const sent = await nextCode();
      onTestFinished(() => here.time.releaseDatabase());
      await here.time.holdDatabase();
      await exhaustGuesses({ database, keyring: createKeyring([secret]) }, email, () => {
        sources += 1;
        return `2001:db8:1:${sources.toString(16)}::1`;
      });
      const signInFrom = async (from: string) => {
        const input = { email, password: "an altogether new password" };
        return (await protocol.call(here, "SignIn", input, { headers: { "x-forwarded-for": from } })).code;
      };
      const headers = { "x-forwarded-for": "203.0.113.81" };
      const input = { reset_id: body.reset_id, code: sent, new_password: "an altogether new password" };
      expect((await protocol.call(there, "ConfirmPasswordReset", input, { headers })).body.status).toBe("approved");
      expect(await signInFrom("203.0.113.82")).toBe("rate_limited");
      expect(await signInFrom("203.0.113.81")).toBe("ok");
    });

    test("of an unverified address: the code verifies it, with a new account and workspace", async () => {
      const squatters = [1, 2, 3].map((number) => `the squatter's password ${number}`);
      const accounts: Account[] = [];
      for (const secret of squatters) {
        accounts.push(accountOf(await signUp(secret)));
      }
      const key = await mint(accounts[0] ?? expect.fail());
      expect(await lookup(there, key)).toBe("ok");
      const { body } = await startReset();
      expect((await confirm(body.reset_id, await nextCode())).body).toEqual({ status: "approved" });
      expect([await lookup(there, key), await lookup(here, key)]).toEqual(["invalid_api_key", "invalid_api_key"]);
      for (const account of accounts) {
        expect((await me(here, account)).code).toBe("invalid_api_key");
      }
      for (const secret of squatters) {
        expect((await signIn(secret)).code).toBe("invalid_api_key");
      }
      const owner = accountOf(await signIn("an altogether new password"));
      expect(accounts.map(({ workspaceId }) => workspaceId)).not.toContain(owner.workspaceId);
      expect((await me(here, owner)).body).toMatchObject({ verified: true, email });
      expect((await protocol.call(here, "ListApiKeys", {}, { session: owner.session })).body.keys).toEqual([]);
    });

    test("of an address without an account gets the same answers, and no message", async () => {
      accountOf(await signUp(password));
      const known = await startReset();
      await nextCode();
      const unknown = await startReset(`nobody-${addresses}@example.com`);
      const shape = ({ code, body }: Answer) => ({ code, ...body, reset_id: body.reset_id.length, expires_at: "" });
      expect(shape(unknown)).toEqual(shape(known));
      const outcomes = async (resetId: string) => {
        const statuses: string[] = [];
        for (let guess = 0; guess < 6; guess += 1) {
          statuses.push((await confirm(resetId, "1234567")).body.status);
        }
        return statuses;
      };
      const five = ["incorrect", "incorrect", "incorrect", "incorrect", "locked", "locked"];
      expect(await outcomes(known.body.reset_id)).toEqual(five);
      expect(await outcomes(unknown.body.reset_id)).toEqual(five);
      expect((await here.inbox()).map(({ recipient }) => recipient)).not.toContain(`nobody-${addresses}@example.com`);
    });

    test("wrong codes for one reset do not burn another", async () => {
      const account = accountOf(await signUp(password));
      await check(await codeFor(account), account);
      for (let stranger = 0; stranger < 2; stranger += 1) {
        const { body } = await startReset();
        await nextCode();
        for (let guess = 0; guess < 6; guess += 1) {
          await confirm(body.reset_id, "1234567");
        }
      }
      const { body } = await startReset();
      expect((await confirm(body.reset_id, await nextCode())).body.status).toBe("approved");
    });

    describe("that was asked for before the password was last set", () => {
      const newest = "the newest of the passwords";
      const startOld = async () => {
        const account = accountOf(await signUp(password));
        await check(await codeFor(account), account);
        const { body } = await startReset();
        return { account, id: body.reset_id, code: await nextCode() };
      };
      const expectTooLate = async ({ id, code }: { id: string; code: string }) => {
        expect((await confirm(id, wrong(code), "the thief's new password")).body.status).toBe("incorrect");
        expect((await confirm(id, code, "the thief's new password")).body.status).toBe("expired");
        expect((await signIn("the thief's new password")).code).toBe("invalid_api_key");
        expect((await signIn(newest)).code).toBe("ok");
      };

      test("has expired when another's code has set it", async () => {
        const old = await startOld();
        const { body } = await startReset();
        expect((await confirm(body.reset_id, await nextCode(), newest)).body.status).toBe("approved");
        await expectTooLate(old);
      });

      test("has expired when its user has changed it", async () => {
        const old = await startOld();
        const input = { current_password: password, new_password: newest };
        const { session } = old.account;
        expect((await protocol.call(there, "ChangePassword", input, { session })).code).toBe("ok");
        await expectTooLate(old);
      });

      test("has expired when its user changes it while the reset sets it", async () => {
        const old = await startOld();
        const { hash } = Hasher.prototype;
        const whileHashing = vi.spyOn(Hasher.prototype, "hash").mockImplementationOnce(async function (
          this: Hasher,
          ...args: Parameters<Hasher["hash"]>
        ) {
          const input = { current_password: password, new_password: newest };
          const { session } = old.account;
          expect((await protocol.call(here, "ChangePassword", input, { session })).code).toBe("ok");
          return hash.apply(this, args);
        });
        expect((await confirm(old.id, old.code, "the thief's new password")).code).toBe("unavailable");
        whileHashing.mockRestore();
        await expectTooLate(old);
      });

      test("has expired when the operator has set it", async () => {
        const old = await startOld();
        await runCommand("reset-password", here.databaseUrl, { options: { email }, input: `${newest}\n` });
        await expectTooLate(old);
      });

      test("has not, only because the hash was made anew", async () => {
        const { id, code } = await startOld();
        const isOutdated = vi.spyOn(Hasher.prototype, "isOutdated").mockReturnValue(true);
        expect((await signIn(password)).code).toBe("ok");
        isOutdated.mockRestore();
        expect((await confirm(id, code)).body.status).toBe("approved");
      });

      test("has not, if only strangers have signed up with the address since", async () => {
        accountOf(await signUp(password));
        const { body } = await startReset();
        const code = await nextCode();
        accountOf(await signUp("the squatter's password"));
        expect((await confirm(body.reset_id, code)).body.status).toBe("approved");
      });
    });

    test("a busy server does not cost the code", async () => {
      accountOf(await signUp(password));
      const { body } = await startReset();
      const code = await nextCode();
      const hash = vi.spyOn(Hasher.prototype, "hash").mockRejectedValueOnce(new Error("busy"));
      expect((await confirm(body.reset_id, code)).code).toBe("internal");
      hash.mockRestore();
      expect((await confirm(body.reset_id, code)).body.status).toBe("approved");
    });

    test("the right code ten times at once sets the password once", async () => {
      const account = accountOf(await signUp(password));
      await check(await codeFor(account), account);
      const { body } = await startReset();
      const code = await nextCode();
      const secrets = Array.from({ length: 10 }, (_, index) => `a new password, number ${index}`);
      const answers = await Promise.all(
        secrets.map((secret, index) => confirm(body.reset_id, code, secret, index % 2 === 0 ? here : there)),
      );
      const statuses = answers.map((answer) => answer.body.status);
      expect(statuses.toSorted()).toEqual(["approved", ...Array(9).fill("expired")]);
      for (const [index, secret] of secrets.entries()) {
        const isSet = statuses[index] === "approved";
        expect((await signIn(secret)).code).toBe(isSet ? "ok" : "invalid_api_key");
      }
    });

    describe("resets", () => {
      const times = async (count: number, address = email, from?: string) => {
        const outcomes: string[] = [];
        for (let start = 0; start < count; start += 1) {
          outcomes.push((await startReset(address, from)).code);
        }
        return outcomes;
      };
      const stranger = "2001:db8:5:1::1";
      const verified = async () => {
        const account = accountOf(await signUp(password));
        await check(await codeFor(account), account);
      };

      test("are limited to two for an address from one network, then one in half an hour, without blocking others", async () => {
        await verified();
        expect(await times(4, email, stranger)).toEqual(["ok", "ok", "rate_limited", "rate_limited"]);
        for (let hour = 0; hour < 3; hour += 1) {
          await here.time.advance({ seconds: 1801 });
          expect(await times(12, email, stranger)).toEqual(["ok", ...Array(11).fill("rate_limited")]);
          expect(await times(2)).toEqual(["ok", "ok"]);
        }
        await here.time.advance({ seconds: 7200 });
      });

      test("stay possible from a source that the account is signed in to from, whatever strangers do", async () => {
        await verified();
        expect((await times(8)).slice(6)).toEqual(["rate_limited", "rate_limited"]);
        expect(await times(3, email, headers["x-forwarded-for"])).toEqual(["ok", "ok", "rate_limited"]);
        expect(await times(1)).toEqual(["rate_limited"]);
        // Nor does it use up what is left to owners elsewhere.
        await here.time.advance({ seconds: 1801 });
        expect(await times(1, email, headers["x-forwarded-for"])).toEqual(["ok"]);
        expect(await times(7)).toEqual([...Array(6).fill("ok"), "rate_limited"]);
      });

      test("are limited for the sources of an unverified account as for any other", async () => {
        accountOf(await signUp(password));
        expect((await times(8)).slice(6)).toEqual(["rate_limited", "rate_limited"]);
        expect(await times(1, email, headers["x-forwarded-for"])).toEqual(["rate_limited"]);
        expect(await times(1, `no-${email}`, headers["x-forwarded-for"])).toEqual(["ok"]);
      });
    });

    test("can be started six times in a row, then once in five minutes", async () => {
      const unknown = `often-${addresses}@example.com`;
      const outcomes: string[] = [];
      for (let start = 0; start < 7; start += 1) {
        outcomes.push((await startReset(unknown)).code);
      }
      expect(outcomes).toEqual([...Array(6).fill("ok"), "rate_limited"]);
      await here.time.advance({ seconds: 301 });
      expect([(await startReset(unknown)).code, (await startReset(unknown)).code]).toEqual(["ok", "rate_limited"]);
    });

    test("is counted by mailbox, however the address is spelt", async () => {
      const spellings = ["", "+a", "+b", "+c", "+d", "+e", "+f", "+g"].map(
        (tag) => `mail.box${addresses}${tag}@gmail.com`,
      );
      const outcomes: string[] = [];
      for (const spelling of spellings) {
        outcomes.push((await startReset(spelling)).code);
      }
      outcomes.push((await startReset(`mailbox${addresses}@googlemail.com`)).code);
      expect(outcomes).toEqual([...Array(6).fill("ok"), ...Array(3).fill("rate_limited")]);
    });

    test("is limited by source too: ten, then one a minute", async () => {
      const outcomes: string[] = [];
      for (let start = 0; start < 12; start += 1) {
        outcomes.push((await startReset(`any-${addresses}-${start}@example.com`, "203.0.113.9")).code);
      }
      expect(outcomes).toEqual([...Array.from({ length: 10 }, () => "ok"), "rate_limited", "rate_limited"]);
      await here.time.advance({ seconds: 601 });
    });

    test("refuses an unknown reset, and a password that sign-up would refuse", async () => {
      for (const id of ["vrf_0000000000000000000000", "nonsense"]) {
        expect((await confirm(id, "12345678")).code).toBe("not_found");
      }
      expect((await confirm("vrf_0000000000000000000000", "12345678", "short")).body.fields).toEqual({
        new_password: "must be 10 to 128 characters long",
      });
      expect((await startReset("no address")).body.fields).toEqual({ email: "must be an email address" });
    });
  });
});
