/** Sessions on two servers: how they go on, how they end, and that what has ended has ended everywhere. */
import argon2 from "argon2";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { generateRefreshToken } from "../../../src/capabilities/accounts/refresh-token-format.ts";
import { Database } from "../../../src/database/database.ts";
import {
  cheapPasswordCost,
  password,
  type SignedUp,
  startTestApp,
  type TestApp,
  useTestApp,
} from "../../support/app.ts";
import { connectionTo } from "../../support/database-address.ts";
import { captureLog } from "../../support/log-capture.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { standardSchema } from "../../support/schema.ts";
import { querySql } from "../../support/sql.ts";

const here = useTestApp();
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

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let owner: SignedUp;
  beforeEach(async () => {
    owner = await here.signUp();
  });

  const me = async (session: string, server = there) => (await protocol.call(server, "GetMe", {}, { session })).code;
  const refresh = (refresh_token: string, server = here) => protocol.call(server, "RefreshSession", { refresh_token });
  const signIn = async (server = here) => {
    const { code, body } = await protocol.call(server, "SignIn", { email: owner.email, password });
    expect(code).toBe("ok");
    return body;
  };

  test("sign-in ignores blanks and invisible characters around an address, as sign-up does", async () => {
    const email = owner.email.toUpperCase();
    for (const typed of [` ${email} `, `\u200e${email}\u200b`]) {
      expect((await protocol.call(there, "SignIn", { email: typed, password })).code).toBe("ok");
      const signedUp = await protocol.call(here, "SignUp", { email: typed, password, name: "Acme" });
      expect(signedUp.code).toBe("already_exists");
    }
  });

  describe("a password with composed letters", () => {
    const composed = "crème brûlée, please".normalize("NFC");
    const decomposed = composed.normalize("NFD");
    const long = "äöüéèêñçåÿ".normalize("NFC").repeat(12);
    const signInWith = async (typed: string) =>
      (await protocol.call(there, "SignIn", { email: owner.email, password: typed })).code;
    const storedHash = async () => {
      const [row] = await querySql<{ password_hash: string }>(
        database,
        { name: "test_read_password_hash", text: "SELECT password_hash FROM account WHERE id = $1" },
        [owner.userId],
      );
      return row?.password_hash;
    };

    test.each([
      [composed, decomposed],
      [decomposed, composed],
      // As long as a password may be; written apart, it has more characters.
      [long, long.normalize("NFD")],
    ])("that was chosen as %j is right on a system that writes %j", async (chosen, typed) => {
      const input = { current_password: password, new_password: chosen };
      const changed = await protocol.call(here, "ChangePassword", input, { session: owner.session });
      expect(changed.code).toBe("ok");
      expect(await signInWith(typed)).toBe("ok");
      const back = { current_password: typed, new_password: "another password" };
      const session = changed.body.access_token;
      expect((await protocol.call(there, "ChangePassword", back, { session })).code).toBe("ok");
    });

    test("whose hash is older than normal forms matches as it was typed, and from then on in every form", async () => {
      await querySql(
        database,
        { name: "test_set_password_hash", text: "UPDATE account SET password_hash = $2 WHERE id = $1" },
        [
          owner.userId,
          await argon2.hash(decomposed, {
            memoryCost: cheapPasswordCost.memoryKiB,
            timeCost: cheapPasswordCost.passes,
            parallelism: 1,
          }),
        ],
      );
      const before = await storedHash();
      expect(await signInWith(composed)).toBe("invalid_api_key");
      expect(await signInWith(decomposed)).toBe("ok");
      expect(await storedHash()).not.toBe(before);
      expect(await signInWith(composed)).toBe("ok");
      expect(await signInWith(decomposed)).toBe("ok");
    });
  });

  describe("refreshing", () => {
    test("gives the next tokens of the session, on any server; the access token before stays valid", async () => {
      const { code, body } = await refresh(owner.refreshToken, there);
      expect(code).toBe("ok");
      expect(body).toMatchObject({ user_id: owner.userId, workspace_id: owner.workspaceId, expires_in: 900 });
      expect(body.refresh_token).toMatch(/^rt_[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{42}$/);
      expect(body.refresh_token).not.toBe(owner.refreshToken);
      expect([await me(body.access_token), await me(owner.session)]).toEqual(["ok", "ok"]);
    });

    test("works after the access token has expired", async () => {
      await here.time.advance({ seconds: 901 });
      expect(await me(owner.session)).toBe("invalid_api_key");
      const { body } = await refresh(owner.refreshToken);
      expect(await me(body.access_token)).toBe("ok");
    });

    test("with a token that was used more than ten seconds ago ends the session on every server", async () => {
      const { body: next } = await refresh(owner.refreshToken);
      await here.time.advance({ seconds: 11 });
      expect([await me(next.access_token, here), await me(next.access_token)]).toEqual(["ok", "ok"]);
      expect(await refresh(owner.refreshToken, there)).toMatchObject({
        code: "invalid_api_key",
        body: { message: "The refresh token is invalid, has expired, or was used before." },
      });
      expect([await me(next.access_token, here), await me(next.access_token)]).toEqual([
        "invalid_api_key",
        "invalid_api_key",
      ]);
      expect((await refresh(next.refresh_token)).code).toBe("invalid_api_key");
    });

    test("leaves the user's other sessions alone when one was copied", async () => {
      const other = await signIn();
      const { body: next } = await refresh(owner.refreshToken);
      await here.time.advance({ seconds: 11 });
      await refresh(owner.refreshToken);
      expect([await me(next.access_token), await me(other.access_token)]).toEqual(["invalid_api_key", "ok"]);
    });

    test("ten times at once on two servers gives the same next refresh token ten times", async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => refresh(owner.refreshToken, index % 2 === 0 ? here : there)),
      );
      expect(answers.map(({ code }) => code)).toEqual(new Array(10).fill("ok"));
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
      for (const { body } of answers) {
        expect(await me(body.access_token)).toBe("ok");
      }
      expect((await refresh(answers[0]?.body.refresh_token)).code).toBe("ok");
    });

    test("again within ten seconds, as after a lost answer, gives the same next refresh token", async () => {
      const { body: lost } = await refresh(owner.refreshToken);
      await here.time.advance({ seconds: 9 });
      const { code, body: again } = await refresh(owner.refreshToken, there);
      expect({ code, token: again.refresh_token }).toEqual({ code: "ok", token: lost.refresh_token });
      expect([await me(lost.access_token), await me(again.access_token)]).toEqual(["ok", "ok"]);
    });

    test("again within ten seconds is refused once the next one was used, and ends nothing", async () => {
      let [spent, current] = [owner.refreshToken, owner.refreshToken];
      for (let round = 0; round < 4; round += 1) {
        [spent, current] = [current, (await refresh(current)).body.refresh_token];
      }
      expect(spent).not.toBe(owner.refreshToken);
      expect((await refresh(owner.refreshToken, there)).code).toBe("invalid_api_key");
      const { code, body } = await refresh(current, there);
      expect(code).toBe("ok");
      expect(await me(body.access_token)).toBe("ok");
    });

    test("repeating a used token does not prolong its ten seconds", async () => {
      const { body: next } = await refresh(owner.refreshToken);
      await here.time.advance({ seconds: 6 });
      expect((await refresh(owner.refreshToken)).code).toBe("ok");
      await here.time.advance({ seconds: 6 });
      expect((await refresh(owner.refreshToken)).code).toBe("invalid_api_key");
      expect(await me(next.access_token)).toBe("invalid_api_key");
    });

    test("again after the session was ended gives nothing", async () => {
      const { body: next } = await refresh(owner.refreshToken);
      await protocol.call(here, "SignOut", { refresh_token: next.refresh_token });
      expect((await refresh(owner.refreshToken)).code).toBe("invalid_api_key");
      await protocol.call(here, "LogoutAll", {}, { session: (await signIn()).access_token });
      expect((await refresh(owner.refreshToken)).code).toBe("invalid_api_key");
    });

    test("is possible until the session's last day, thirty days after sign-in, and no longer", async () => {
      const { body } = await refresh(owner.refreshToken);
      const lastDay = Date.parse(body.session_expires_at);
      expect(Math.abs(lastDay - here.time.now().getTime() - 30 * 86_400_000)).toBeLessThan(60_000);
      await here.time.advance({ seconds: 29 * 86_400 });
      const { body: late } = await refresh(body.refresh_token);
      expect(late.session_expires_at).toBe(body.session_expires_at);
      await here.time.advance({ seconds: 86_400 - 120 });
      const { body: last } = await refresh(late.refresh_token);
      expect(last.expires_in).toBeLessThanOrEqual(120);
      expect(await me(last.access_token)).toBe("ok");
      await here.time.advance({ seconds: 121 });
      expect(await me(last.access_token)).toBe("invalid_api_key");
      expect((await refresh(last.refresh_token)).code).toBe("invalid_api_key");
      const { body: anew } = await protocol.call(here, "SignIn", { email: owner.email, password });
      expect(Date.parse(anew.session_expires_at) - lastDay).toBeGreaterThan(29 * 86_400_000);
    });

    test("a forged token ends nothing, even if it names a session", async () => {
      const [workspace = "", sessionId = ""] = owner.refreshToken.slice("rt_".length).split(".");
      const forged = [
        "nonsense",
        `${owner.refreshToken.slice(0, -1)}${owner.refreshToken.endsWith("0") ? "1" : "0"}`,
        generateRefreshToken({ workspaceId: `ws_${workspace}`, sessionId }, Buffer.alloc(32)).token,
      ];
      for (const token of forged) {
        expect((await refresh(token)).code).toBe("invalid_api_key");
      }
      expect(await me(owner.session)).toBe("ok");
      expect((await refresh(owner.refreshToken)).code).toBe("ok");
    });

    test("the database holds a hash of the token only", async () => {
      const text = "SELECT session::text AS row FROM session WHERE workspace_id = $1";
      const rows = await querySql<{ row: string }>(database, { name: "dump_sessions", text }, [owner.workspaceId]);
      const secret = owner.refreshToken.split(".")[2] ?? "";
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toContain(secret.slice(0, 10));
    });
  });

  describe("signing out", () => {
    test("ends the session on every server before the call returns, and no other", async () => {
      const other = await signIn();
      expect(await me(owner.session)).toBe("ok");
      expect(await protocol.call(here, "SignOut", { refresh_token: owner.refreshToken })).toEqual({
        code: "ok",
        body: { message: "The session has ended." },
      });
      expect([await me(owner.session), await me(owner.session, here)]).toEqual(["invalid_api_key", "invalid_api_key"]);
      expect((await refresh(owner.refreshToken)).code).toBe("invalid_api_key");
      expect(await me(other.access_token)).toBe("ok");
    });

    test("again, with a used token or with a forged one gives the same answer", async () => {
      const { body: next } = await refresh(owner.refreshToken);
      for (const refresh_token of [owner.refreshToken, owner.refreshToken, next.refresh_token, "nonsense"]) {
        expect((await protocol.call(here, "SignOut", { refresh_token })).code).toBe("ok");
      }
      expect(await me(next.access_token)).toBe("invalid_api_key");
    });

    test("of an ended session writes no revocation", async () => {
      const revocations = async () => {
        const text = "SELECT count(*)::integer AS count FROM revocation WHERE subject LIKE 'session:%'";
        return (await querySql<{ count: number }>(database, { name: "count_revocations", text }, []))[0]?.count ?? 0;
      };
      const before = await revocations();
      for (let round = 0; round < 5; round += 1) {
        expect((await protocol.call(here, "SignOut", { refresh_token: owner.refreshToken })).code).toBe("ok");
      }
      expect((await revocations()) - before).toBe(1);
    });
  });

  describe("signing out everywhere", () => {
    test.each(["session", "key"] as const)("by a %s ends every session on every server; keys stay", async (by) => {
      const sessions = [owner.session, (await signIn(there)).access_token, (await signIn(here)).access_token];
      const { body } = await protocol.call(here, "CreateApiKey", { name: "a key" }, { session: owner.session });
      for (const session of sessions) {
        expect([await me(session, here), await me(session)]).toEqual(["ok", "ok"]);
      }
      const credentials = by === "key" ? { key: body.key } : { session: owner.session };
      expect(await protocol.call(here, "LogoutAll", {}, credentials)).toEqual({
        code: "ok",
        body: { message: "All sessions have been revoked." },
      });
      for (const session of sessions) {
        expect([await me(session), await me(session, here)]).toEqual(["invalid_api_key", "invalid_api_key"]);
      }
      expect((await refresh(owner.refreshToken)).code).toBe("invalid_api_key");
      expect((await protocol.call(there, "LookupNumber", { number: "1" }, { key: body.key })).code).toBe("ok");
      expect(await me((await signIn()).access_token)).toBe("ok");
    });

    test.each([
      { mode: "test", scopes: null },
      { mode: "test", scopes: ["*"] },
      { mode: "test", scopes: ["lookup"] },
      { mode: "live", scopes: ["lookup"] },
      { mode: "live", scopes: ["verify", "lookup", "reports"] },
    ])("is not for a sandbox key, nor for one that may not do everything: $mode, $scopes", async (input) => {
      const { body } = await protocol.call(here, "CreateApiKey", { name: "leaked", ...input }, owner);
      for (const [rpc, request] of [
        ["LogoutAll", {}],
        ["DeleteAccount", { password }],
      ] as const) {
        expect(await protocol.call(there, rpc, request, { key: body.key })).toMatchObject({
          code: "insufficient_scope",
          body: { required_scope: "*" },
        });
      }
      expect(await me(owner.session)).toBe("ok");
      expect((await refresh(owner.refreshToken)).code).toBe("ok");
    });

    test("refuses a key without the scope for everything", async () => {
      const create = async (scopes: string[] | null) =>
        (await protocol.call(here, "CreateApiKey", { name: "a key", scopes }, { session: owner.session })).body.key;
      const refused = await protocol.call(here, "LogoutAll", {}, { key: await create(["verify", "lookup"]) });
      expect(refused).toMatchObject({ code: "insufficient_scope", body: { required_scope: "*" } });
      expect(await me(owner.session)).toBe("ok");
      expect((await protocol.call(here, "LogoutAll", {}, { key: await create(["*"]) })).code).toBe("ok");
    });

    test("leaves other accounts alone", async () => {
      const other = await here.signUp();
      await protocol.call(here, "LogoutAll", {}, { session: owner.session });
      expect(await me(other.session)).toBe("ok");
    });

    test("needs a credential", async () => {
      expect((await protocol.call(here, "LogoutAll")).code).toBe("invalid_api_key");
    });
  });

  describe("changing the password", () => {
    const change = (current_password: string, new_password: string, session = owner.session) =>
      protocol.call(here, "ChangePassword", { current_password, new_password }, { session });

    test("ends every session on every server, and answers with a new one", async () => {
      const other = await signIn(there);
      const { code, body } = await change(password, "a wholly new password");
      expect(code).toBe("ok");
      expect([await me(owner.session), await me(other.access_token)]).toEqual(["invalid_api_key", "invalid_api_key"]);
      expect(await me(body.access_token)).toBe("ok");
      expect((await refresh(body.refresh_token)).code).toBe("ok");
      const signInWith = async (secret: string) =>
        (await protocol.call(there, "SignIn", { email: owner.email, password: secret })).code;
      expect([await signInWith(password), await signInWith("a wholly new password")]).toEqual([
        "invalid_api_key",
        "ok",
      ]);
    });

    test("needs the current password, and a new one that is long enough", async () => {
      expect(await change("not the password", "a wholly new password")).toMatchObject({
        code: "invalid_password",
        body: { message: "The password is wrong." },
      });
      expect((await change(password, "short")).body.fields).toEqual({
        new_password: "must be 10 to 128 characters long",
      });
      expect(await me(owner.session)).toBe("ok");
    });

    test("succeeds for one of two simultaneous calls", async () => {
      const answers = await Promise.all([
        change(password, "the first new one"),
        change(password, "the second new one"),
      ]);
      // The other one was refused by the wrong password, or ended with the sessions.
      expect(answers.filter(({ code }) => code === "ok")).toHaveLength(1);
    });
  });
});

describe("a master secret is replaced", () => {
  const [old, replaced] = ["a secret of the tests that is long enough", "another secret of the tests, long enough"];
  const refresh = (server: TestApp, refresh_token: string) =>
    server.rest("POST", "/auth/refresh", { body: { refresh_token } });

  test.each([
    ["before and after its first step", [old], [old, replaced]],
    ["before and after its second step", [old, replaced], [replaced, old]],
    ["back and forth", [replaced, old], [old, replaced]],
  ])("a token shown again to another server gets the same next one: %s", async (_when, secrets, otherSecrets) => {
    await using one = await startTestApp({ secrets });
    await using other = await one.startAnother({ secrets: otherSecrets });
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      const { refreshToken } = await one.signUp();
      const answers = [await refresh(first, refreshToken), await refresh(second, refreshToken)];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[1]?.body.refresh_token).toBe(answers[0]?.body.refresh_token);
      expect((await refresh(second, answers[0]?.body.refresh_token)).status).toBe(200);
    }
  });

  test("a server without the master secret of a token's successor refuses it, and ends nothing", async () => {
    await using before = await startTestApp({ secrets: [old] });
    const { refreshToken } = await before.signUp();
    const { body: next } = await refresh(before, refreshToken);
    await before.app.close();
    await using after = await before.startAnother({ secrets: [replaced] });
    expect((await refresh(after, refreshToken)).status).toBe(401);
    expect((await refresh(after, next.refresh_token)).status).toBe(200);
  });
});

test("SESSION_MAX_DAYS ends sessions that are refreshed all the time, also those from before it was lowered", async () => {
  const { refreshToken } = await here.signUp();
  const short = await here.startAnother({ sessionMaxDays: 2 });
  try {
    const refresh = (refresh_token: string) => short.rest("POST", "/auth/refresh", { body: { refresh_token } });
    let token = refreshToken;
    for (let day = 0; day < 2; day += 1) {
      const { status, body } = await refresh(token);
      expect(status).toBe(200);
      token = body.refresh_token;
      await here.time.advance({ seconds: 86_400 });
    }
    expect((await refresh(token)).status).toBe(401);
  } finally {
    await short[Symbol.asyncDispose]();
  }
});

test("where sessions last longer than 30 days, a refresh token does not", async () => {
  const long = await here.startAnother({ sessionMaxDays: 90 });
  try {
    const refresh = (refresh_token: string) => long.rest("POST", "/auth/refresh", { body: { refresh_token } });
    let { refreshToken: token } = await here.signUp();
    for (const days of [0, 29, 29]) {
      await here.time.advance({ seconds: days * 86_400 });
      const { status, body } = await refresh(token);
      expect(status).toBe(200);
      token = body.refresh_token;
    }
    await here.time.advance({ seconds: 30 * 86_400 });
    expect((await refresh(token)).status).toBe(401);
  } finally {
    await long[Symbol.asyncDispose]();
  }
});
