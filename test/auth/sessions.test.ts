/** Sessions on two servers: how they go on, how they end, and that what has ended has ended everywhere. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { generateRefreshToken } from "../../src/auth/refresh-token.ts";
import { Database } from "../../src/database/database.ts";
import { password, type SignedUp, startTestApp, type TestApp } from "../support/app.ts";
import { captureLog } from "../support/log-capture.ts";
import { type Protocol, protocols } from "../support/protocols.ts";

let here: TestApp;
let there: TestApp;
let database: Database;
beforeAll(async () => {
  here = await startTestApp();
  there = await here.startAnother();
  database = await Database.open({ url: here.databaseUrl, logger: captureLog().logger, entities: [] });
});
afterAll(async () => {
  await database.close();
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
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

  describe("refreshing", () => {
    test("gives the next tokens of the session, on any server; the access token before stays valid", async () => {
      const { code, body } = await refresh(owner.refreshToken, there);
      expect(code).toBe("ok");
      expect(body).toMatchObject({ user_id: owner.userId, workspace_id: owner.workspaceId, expires_in: 900 });
      expect(body.refresh_token).toMatch(/^rt_[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{42}$/);
      expect(body.refresh_token).not.toBe(owner.refreshToken);
      expect([await me(body.access_token), await me(owner.session)]).toEqual(["ok", "ok"]);
    });

    test("goes on beyond the life of an access token", async () => {
      await here.time.advance({ seconds: 901 });
      expect(await me(owner.session)).toBe("invalid_api_key");
      const { body } = await refresh(owner.refreshToken);
      expect(await me(body.access_token)).toBe("ok");
    });

    test("with a token that was used before ends the session on every server", async () => {
      const { body: next } = await refresh(owner.refreshToken);
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
      await refresh(owner.refreshToken);
      await refresh(owner.refreshToken);
      expect(await me(other.access_token)).toBe("ok");
    });

    test("of ten at once with one token, one at most succeeds, and the session ends", async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => refresh(owner.refreshToken, index % 2 === 0 ? here : there)),
      );
      expect(answers.filter(({ code }) => code === "ok").length).toBeLessThanOrEqual(1);
      expect(await me(owner.session)).toBe("invalid_api_key");
    });

    test("after 30 days is too late", async () => {
      await here.time.advance({ seconds: 30 * 86_400 + 1 });
      expect((await refresh(owner.refreshToken)).code).toBe("invalid_api_key");
    });

    test("a made-up token ends nothing, not even one that names the session", async () => {
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
      const rows = await database.query<{ row: string }>({ name: "dump_sessions", text }, [owner.workspaceId]);
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

    test("again, with a used token, or with a made-up one answers the same", async () => {
      const { body: next } = await refresh(owner.refreshToken);
      for (const refresh_token of [owner.refreshToken, owner.refreshToken, next.refresh_token, "nonsense"]) {
        expect((await protocol.call(here, "SignOut", { refresh_token })).code).toBe("ok");
      }
      expect(await me(next.access_token)).toBe("invalid_api_key");
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

    test("takes a key that may do everything", async () => {
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

    test("takes a credential", async () => {
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

    test("asks for the current one, and for one that is long enough", async () => {
      expect(await change("not the password", "a wholly new password")).toMatchObject({
        code: "invalid_password",
        body: { message: "The password is wrong." },
      });
      expect((await change(password, "short")).body.fields).toEqual({
        new_password: "must be 10 to 128 characters long",
      });
      expect(await me(owner.session)).toBe("ok");
    });

    test("of two at once, one wins", async () => {
      const answers = await Promise.all([
        change(password, "the first new one"),
        change(password, "the second new one"),
      ]);
      // The other one was refused by the wrong password, or ended with the sessions.
      expect(answers.filter(({ code }) => code === "ok")).toHaveLength(1);
    });
  });
});
