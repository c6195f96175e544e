/** GetMe, the verification of an account's address, and the deletion of an account. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { password, type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const here = useTestApp();
let there: TestApp;
beforeAll(async () => {
  there = await here.startAnother();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
});

describe.each(protocols)("over $name", (protocol: Protocol) => {
  let owner: SignedUp;
  beforeEach(async () => {
    owner = await here.signUp();
  });
  const create = async (
    input: Record<string, unknown> = {},
  ): Promise<{ key: string; key_prefix: string; id: string }> =>
    (await protocol.call(here, "CreateApiKey", { name: "a key", ...input }, { session: owner.session })).body;

  describe("GetMe", () => {
    const identity = () => ({
      user_id: owner.userId,
      email: owner.email,
      workspace_id: owner.workspaceId,
      role: "owner",
      verified: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });

    test("describes the account to a session", async () => {
      expect(await protocol.call(here, "GetMe", {}, { session: owner.session })).toEqual({
        code: "ok",
        body: { ...identity(), mode: null, scopes: null, key_prefix: null },
      });
    });

    test.each(
      ["live", "test"].flatMap((mode) =>
        [null, ["*"], ["verify"], ["lookup"], ["reports"], ["verify", "lookup"]].map((scopes) => ({ mode, scopes })),
      ),
    )("describes the account and the key to every key: $mode, $scopes", async ({ mode, scopes }) => {
      const { key, key_prefix } = await create({ mode, scopes });
      expect(await protocol.call(there, "GetMe", {}, { key })).toEqual({
        code: "ok",
        body: { ...identity(), mode, scopes, key_prefix },
      });
    });

    test("accepts a key as a bearer token", async () => {
      const { key, key_prefix } = await create();
      const { body } = await protocol.call(here, "GetMe", {}, { headers: { authorization: `Bearer ${key}` } });
      expect(body.key_prefix).toBe(key_prefix);
    });

    test.each([{}, { key: "pk_live_8fa2.s3cr3t_9c1d4f7b2a6e0h8j" }, { session: "nonsense" }])(
      "refuses other credentials: %o",
      async (credentials) => {
        expect((await protocol.call(here, "GetMe", {}, credentials)).code).toBe("invalid_api_key");
      },
    );
  });

  describe("verifying the address", () => {
    const start = () => protocol.call(here, "StartEmailVerification", {}, { session: owner.session });
    const check = (code: string, session = owner.session) =>
      protocol.call(there, "CheckEmailVerification", { code }, { session });
    const codeSent = async () => /\b\d{8}\b/.exec((await here.messageTo(owner.email)).text)?.[0] ?? "";
    const isVerified = async () => (await protocol.call(there, "GetMe", {}, { session: owner.session })).body.verified;

    test("sends a code in the server's name, and the right code verifies the address", async () => {
      const { code, body } = await start();
      expect(code).toBe("ok");
      expect(body.status).toBe("pending");
      expect(Date.parse(body.expires_at) - here.time.now().getTime()).toBeGreaterThan(890_000);
      expect((await here.messageTo(owner.email)).text).toContain("Byond");
      const right = await codeSent();
      expect((await check(right === "00000000" ? "11111111" : "00000000")).body).toEqual({
        status: "incorrect",
        verified: false,
      });
      expect(await isVerified()).toBe(false);
      expect((await check(right)).body).toEqual({ status: "approved", verified: true });
      expect(await isVerified()).toBe(true);
      expect((await check(right)).body).toEqual({ status: "expired", verified: true });
      expect((await start()).code).toBe("already_exists");
    });

    test("a code is expired if none was sent", async () => {
      expect((await check("123456")).body).toEqual({ status: "expired", verified: false });
    });

    test("is locked after five wrong codes", async () => {
      await start();
      const right = await codeSent();
      const outcomes: string[] = [];
      for (let attempt = 1; attempt <= 6; attempt += 1) {
        outcomes.push(
          (await check(attempt === 6 ? right : right === "00000000" ? "11111111" : "00000000")).body.status,
        );
      }
      expect(outcomes).toEqual(["incorrect", "incorrect", "incorrect", "incorrect", "locked", "locked"]);
      expect(await isVerified()).toBe(false);
    });

    test("the code of one account does not verify another", async () => {
      await start();
      const right = await codeSent();
      const other = await here.signUp();
      await protocol.call(here, "StartEmailVerification", {}, { session: other.session });
      expect((await check(right, other.session)).body.verified).toBe(false);
      expect((await check(right)).body.verified).toBe(true);
    });

    test("a fourth code in a row is rate_limited, as for every recipient", async () => {
      const codes = [(await start()).code, (await start()).code, (await start()).code, (await start()).code];
      expect(codes).toEqual(["ok", "ok", "ok", "rate_limited"]);
    });

    test("a stored address that cannot be mailed is an error that names no field", async () => {
      const client = new pg.Client({ connectionString: here.databaseUrl });
      await client.connect();
      await client.query("UPDATE account SET email = $2 WHERE id = $1", [owner.userId, `1\u20442x-${owner.email}`]);
      await client.end();
      expect(await start()).toMatchObject({
        code: "invalid_request",
        body: { message: "No email can be sent to the address of this account." },
      });
    });

    test("refuses a key: it takes a session", async () => {
      const { key } = await create();
      expect((await protocol.call(here, "StartEmailVerification", {}, { key })).code).toBe("invalid_api_key");
    });
  });

  describe("deleting the account", () => {
    const remove = (input: Record<string, unknown>, credentials: Record<string, string> = { session: owner.session }) =>
      protocol.call(here, "DeleteAccount", input, credentials);
    const lookup = async (server: TestApp, key: string) =>
      (await protocol.call(server, "LookupNumber", { number: "1" }, { key })).code;

    test.each(["session", "key"] as const)("by a %s ends its sessions and keys on every server", async (by) => {
      const keys = [(await create()).key, (await create({ mode: "test" })).key];
      for (const key of keys) {
        expect([await lookup(here, key), await lookup(there, key)]).toEqual(["ok", "ok"]);
      }
      const credentials = by === "key" ? { key: keys[0] ?? "" } : { session: owner.session };
      expect(await remove({ password }, credentials)).toEqual({
        code: "ok",
        body: { message: "Account deleted successfully." },
      });
      for (const key of keys) {
        expect([await lookup(there, key), await lookup(here, key)]).toEqual(["invalid_api_key", "invalid_api_key"]);
      }
      for (const server of [here, there]) {
        const { code } = await protocol.call(server, "GetMe", {}, { session: owner.session });
        expect(code).toBe("invalid_api_key");
      }
      const { refreshToken: refresh_token, email } = owner;
      expect((await protocol.call(there, "RefreshSession", { refresh_token })).code).toBe("invalid_api_key");
      expect((await protocol.call(there, "SignIn", { email, password })).code).toBe("invalid_api_key");
    });

    test("frees the address for a new account, which shares nothing with the old one", async () => {
      await create();
      await remove({ password });
      const { code, body } = await protocol.call(there, "SignUp", { email: owner.email, password, name: "Again" });
      expect(code).toBe("ok");
      const keys = await protocol.call(there, "ListApiKeys", {}, { session: body.access_token });
      expect(keys.body.keys).toEqual([]);
      expect(body.workspace_id).not.toBe(owner.workspaceId);
    });

    test("changes nothing without a password or with a wrong one", async () => {
      const { key } = await create();
      expect((await remove({})).code).toBe("invalid_request");
      expect((await remove({ password: "not the password" })).code).toBe("invalid_password");
      expect((await remove({ password: "" })).code).toBe("invalid_password");
      expect((await protocol.call(there, "GetMe", {}, { session: owner.session })).code).toBe("ok");
      expect(await lookup(there, key)).toBe("ok");
      expect((await protocol.call(there, "SignIn", { email: owner.email, password })).code).toBe("ok");
    });

    test("refuses a key without the scope for everything", async () => {
      const { key } = await create({ scopes: ["verify", "lookup"] });
      expect((await remove({ password }, { key })).code).toBe("insufficient_scope");
    });

    test("is not_found for a key whose workspace has no user", async () => {
      const { key } = await create();
      const client = new pg.Client({ connectionString: here.databaseUrl });
      await client.connect();
      await client.query("DELETE FROM account WHERE id = $1", [owner.userId]);
      await client.end();
      for (const rpc of ["GetMe", "LogoutAll"] as const) {
        expect(await protocol.call(here, rpc, {}, { key })).toMatchObject({
          code: "not_found",
          body: { message: "No user record found for this workspace." },
        });
      }
      expect((await remove({ password }, { key })).code).toBe("not_found");
    });
  });
});

test("the statuses over REST are the documented ones", async () => {
  const { session, email } = await here.signUp();
  const status = async (method: string, path: string, body?: unknown) =>
    (await here.rest(method, path, { session, ...(body === undefined ? {} : { body }) })).status;
  expect(await status("GET", "/auth/me")).toBe(200);
  expect(await status("POST", "/auth/verify-email")).toBe(201);
  expect(await status("POST", "/auth/verify-email/check", { code: "123456" })).toBe(200);
  expect(await status("POST", "/auth/delete-account")).toBe(400);
  expect(await status("POST", "/auth/delete-account", [])).toBe(400);
  expect(await status("POST", "/auth/delete-account", { password: 1 })).toBe(422);
  expect(await status("POST", "/auth/delete-account", { password: "wrong" })).toBe(401);
  expect(await status("POST", "/auth/change-password", { current_password: "wrong", new_password: password })).toBe(
    401,
  );
  expect(await status("POST", "/auth/logout-all")).toBe(200);
  expect(await status("POST", "/auth/logout-all")).toBe(401);
  const { body } = await here.rest("POST", "/auth/sign-in", { body: { email, password } });
  expect((await here.rest("POST", "/auth/refresh", { body: { refresh_token: body.refresh_token } })).status).toBe(200);
  await here.time.advance({ seconds: 11 });
  expect((await here.rest("POST", "/auth/refresh", { body: { refresh_token: body.refresh_token } })).status).toBe(401);
  expect((await here.rest("POST", "/auth/sign-out", { body: { refresh_token: body.refresh_token } })).status).toBe(200);
});
