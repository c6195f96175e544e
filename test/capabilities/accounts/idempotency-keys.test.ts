/** Idempotency-Key on the calls of accounts, sessions and the workspace: replayed where there is a caller, never ignored. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LookupService } from "../../../gen/byond/v1/lookup_pb.ts";
import { RecipientService } from "../../../gen/byond/v1/recipient_pb.ts";
import { VerifyService } from "../../../gen/byond/v1/verify_pb.ts";
import { password, type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { rpcs } from "../../support/protocols.ts";
import {
  type ProtocolAnswer,
  type ProtocolCall,
  type ProtocolClient,
  protocolClients,
  type RpcName,
} from "../../wire/protocol-clients.ts";

const app = useTestApp();
/** Another server on the same database. */
let other: TestApp;
let client: pg.Client;
beforeAll(async () => {
  other = await app.startAnother();
  client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await other[Symbol.asyncDispose]();
});

const newPassword = "staple battery horse";
const fresh = (name: string) => `${name}-${crypto.randomUUID()}`;
const isReplayed = ({ headers }: ProtocolAnswer) => headers.get("Idempotent-Replayed") === "true";

/** What an answer says, without what tells one request from another. */
function contentOf({ code, body }: ProtocolAnswer) {
  const { request_id: _requestId, ...content } = body;
  return { code, content };
}

function expectReplayOf(first: ProtocolAnswer, again: ProtocolAnswer): void {
  expect(first.code).toBe("ok");
  expect(isReplayed(first)).toBe(false);
  expect(contentOf(again)).toEqual(contentOf(first));
  expect(isReplayed(again)).toBe(true);
}

/** A way into the server, for calls with an idempotency key. */
function over(protocol: ProtocolClient) {
  const call = (
    rpc: RpcName,
    input: object,
    options: ProtocolCall & { readonly idempotencyKey?: string } = {},
    at = app,
  ) => {
    const { idempotencyKey, ...credentials } = options;
    const headers = {
      ...credentials.headers,
      ...(idempotencyKey !== undefined && { "Idempotency-Key": idempotencyKey }),
    };
    return protocol.call(at, rpc, { ...input }, { ...credentials, headers });
  };
  const signIn = async (email: string, as = password): Promise<string> =>
    (await call("SignIn", { email, password: as })).body.access_token;
  return { call, signIn };
}

const mint = async (session: string): Promise<string> =>
  (await app.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body.key;
const isSignedIn = async (session: string) => (await app.rest("GET", "/auth/me", { session })).status === 200;
const isPassword = async (email: string, text: string) =>
  (await app.rest("POST", "/auth/sign-in", { body: { email, password: text } })).status === 200;

async function codesFor(email: string): Promise<readonly string[]> {
  const messages = (await app.inbox()).filter(({ recipient }) => recipient === email);
  return messages.map(({ text }) => /\b\d{8}\b/.exec(text)?.[0] ?? "");
}

const wrongCode = (code: string) => (code === "11111111" ? "22222222" : "11111111");

/** Every row of every table, as text. */
async function storedText(): Promise<string> {
  const { rows: tables } = await client.query(
    "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const { rows: found } = await client.query(`SELECT to_jsonb(each)::text AS row FROM ${name} AS each`);
    rows.push(...found.map(({ row }) => row));
  }
  return rows.join("\n");
}

describe.each(protocolClients)("over $name", (protocol: ProtocolClient) => {
  const { call, signIn } = over(protocol);
  let owner: SignedUp;
  let session: string;
  let idempotencyKey: string;
  beforeEach(async () => {
    owner = await app.signUp();
    session = owner.session;
    idempotencyKey = fresh("key");
  });

  describe("a changed password", () => {
    const request = { current_password: password, new_password: newPassword };
    const change = (credential: string, input: object = request, at = app) =>
      call("ChangePassword", input, { session: credential, idempotencyKey }, at);

    test("is not replayed to the session that it ended, but to another of the account, tokens included", async () => {
      const first = await change(session);
      expect(first.code).toBe("ok");
      for (const server of [app, other]) {
        const refused = await change(session, request, server);
        expect(refused.code).toBe("invalid_api_key");
        expect(isReplayed(refused)).toBe(false);
        expect(refused.body.refresh_token).toBeUndefined();
      }
      const later = await signIn(owner.email, newPassword);
      for (const server of [app, other]) {
        expectReplayOf(first, await change(later, request, server));
      }
      // Nothing was done twice: both sessions are alive.
      expect(await isSignedIn(first.body.access_token)).toBe(true);
      expect(await isSignedIn(later)).toBe(true);
    });

    test("with other passwords is another request", async () => {
      await change(session);
      const later = await signIn(owner.email, newPassword);
      for (const input of [
        { ...request, new_password: "another horse battery" },
        { ...request, current_password: newPassword },
      ]) {
        expect((await change(later, input)).code).toBe("idempotency_key_reused");
      }
    });

    test("leaves neither passwords nor tokens in the database, nor in the log", async () => {
      const { body } = await change(session);
      const secrets = [password, newPassword, body.access_token, body.refresh_token];
      const stored = await storedText();
      expect(stored).toContain(idempotencyKey);
      const forms = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("hex")]);
      expect(forms.filter((form) => stored.includes(form))).toEqual([]);
      expect(app.logLines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
    });

    test("is changed once by two simultaneous calls: the second does not get invalid_password", async () => {
      const answers = await Promise.all([change(session), change(session, request, other)]);
      expect(answers.filter((answer) => answer.code === "ok" && !isReplayed(answer))).toHaveLength(1);
      for (const answer of answers) {
        expect(["ok", "idempotency_in_progress", "invalid_api_key"]).toContain(answer.code);
        expect(answer.body.message ?? "").not.toContain("password");
      }
    });

    test("a wrong current password is not stored and can be repeated; a refused new one is replayed", async () => {
      const wrong = { ...request, current_password: "not the password" };
      expect((await change(session, wrong)).code).toBe("invalid_password");
      const weak = { ...request, new_password: `${owner.email.split("@")[0]}!!!!!` };
      const refused = await change(session, weak);
      expect(refused.code).toBe("validation_error");
      expect(isReplayed(await change(session, weak))).toBe(true);
      expect(await isPassword(owner.email, password)).toBe(true);
    });
  });

  describe("signing out everywhere", () => {
    test("by a key is answered again, and leaves the sessions alone that began since", async () => {
      const key = await mint(session);
      const logOut = (at = app) => call("LogoutAll", {}, { key, idempotencyKey }, at);
      const first = await logOut();
      expect(await isSignedIn(session)).toBe(false);
      const later = await signIn(owner.email);
      expectReplayOf(first, await logOut());
      expectReplayOf(first, await logOut(other));
      expect(await isSignedIn(later)).toBe(true);
      expect((await call("LogoutAll", {}, { key, idempotencyKey: fresh("new") })).code).toBe("ok");
      expect(await isSignedIn(later)).toBe(false);
    });

    test("by a session ends it: repeated, it is refused, and a later session gets the answer", async () => {
      const logOut = (credential: string) => call("LogoutAll", {}, { session: credential, idempotencyKey });
      const first = await logOut(session);
      expect((await logOut(session)).code).toBe("invalid_api_key");
      const later = await signIn(owner.email);
      expectReplayOf(first, await logOut(later));
      expect(await isSignedIn(later)).toBe(true);
    });
  });

  test("a code for the account's address is sent once", async () => {
    const start = (at = app) => call("StartEmailVerification", {}, { session, idempotencyKey }, at);
    const first = await start();
    await app.messageTo(owner.email);
    expectReplayOf(first, await start());
    expectReplayOf(first, await start(other));
    expect((await call("StartEmailVerification", {}, { session, idempotencyKey: fresh("new") })).code).toBe("ok");
    await expect.poll(() => codesFor(owner.email)).toHaveLength(2);
  });

  test("a code is checked once: a wrong one costs one attempt, and the right one is approved as often as it is asked", async () => {
    await call("StartEmailVerification", {}, { session });
    await app.messageTo(owner.email);
    const [code = ""] = await codesFor(owner.email);
    const check = (text: string, name: string, at = app) =>
      call("CheckEmailVerification", { code: text }, { session, idempotencyKey: name }, at);
    const wrong = await check(wrongCode(code), idempotencyKey);
    expect(wrong.body).toEqual({ status: "incorrect", verified: false });
    for (let time = 0; time < 6; time += 1) {
      expectReplayOf(wrong, await check(wrongCode(code), idempotencyKey));
    }
    const right = await check(code, fresh("right"));
    expect(right.body).toEqual({ status: "approved", verified: true });
    const again = fresh("again");
    const used = await check(code, again);
    expect(used.body.status).toBe("expired");
    expectReplayOf(used, await check(code, again, other));
  });

  test("the answer to the right code is replayed", async () => {
    await call("StartEmailVerification", {}, { session });
    await app.messageTo(owner.email);
    const [code = ""] = await codesFor(owner.email);
    const check = (at = app) => call("CheckEmailVerification", { code }, { session, idempotencyKey }, at);
    const first = await check();
    expect(first.body).toEqual({ status: "approved", verified: true });
    expectReplayOf(first, await check());
    expectReplayOf(first, await check(other));
  });

  test("a workspace is changed once: a repetition does not undo what came after", async () => {
    const rename = (name: string, key: string, at = app) =>
      call("UpdateWorkspace", { name }, { session, idempotencyKey: key }, at);
    const first = await rename("Acme", idempotencyKey);
    expect(first.body.name).toBe("Acme");
    await rename("Umbrella", fresh("second"));
    expectReplayOf(first, await rename("Acme", idempotencyKey));
    expectReplayOf(first, await rename("Acme", idempotencyKey, other));
    expect((await call("GetWorkspace", {}, { session })).body.name).toBe("Umbrella");
    expect((await rename("Another", idempotencyKey)).code).toBe("idempotency_key_reused");
  });

  test.each(["session", "key"] as const)("an account is deleted once: its %s is refused from then on", async (kind) => {
    const credential = kind === "session" ? { session } : { key: await mint(session) };
    const remove = () => call("DeleteAccount", { password }, { ...credential, idempotencyKey });
    expect((await remove()).code).toBe("ok");
    for (let time = 0; time < 2; time += 1) {
      const refused = await remove();
      expect(refused.code).toBe("invalid_api_key");
      expect(isReplayed(refused)).toBe(false);
    }
  });

  test("a wrong password does not use up the idempotency key: with the right one the account is deleted", async () => {
    const remove = (text: string) => call("DeleteAccount", { password: text }, { session, idempotencyKey });
    expect((await remove("not the password")).code).toBe("invalid_password");
    expect((await remove(password)).code).toBe("ok");
  });

  describe("without a credential a key is accepted, nothing is kept, and", () => {
    const isKept = async () =>
      (await client.query("SELECT FROM idempotency WHERE key = $1", [idempotencyKey])).rowCount !== 0;
    const repeat = async (rpc: RpcName, input: object) => {
      const answers = [await call(rpc, input, { idempotencyKey }), await call(rpc, input, { idempotencyKey })] as const;
      expect(answers.map(isReplayed)).toEqual([false, false]);
      expect(await isKept()).toBe(false);
      return answers;
    };

    test("a repeated sign-up makes no second account", async () => {
      const email = `${fresh("twice")}@example.com`;
      const [first, second] = await repeat("SignUp", { email, password, name: "Ada" });
      expect([first.code, second.code]).toEqual(["ok", "already_exists"]);
      const { rowCount } = await client.query("SELECT FROM account WHERE email = $1", [email]);
      expect(rowCount).toBe(1);
      expect(await isPassword(email, password)).toBe(true);
    });

    test("a repeated sign-in begins another session", async () => {
      const [first, second] = await repeat("SignIn", { email: owner.email, password });
      expect([first.code, second.code]).toEqual(["ok", "ok"]);
      expect(second.body.refresh_token).not.toBe(first.body.refresh_token);
      expect(await isSignedIn(first.body.access_token)).toBe(true);
    });

    test("a repeated refresh gets the same refresh token", async () => {
      const [first, second] = await repeat("RefreshSession", { refresh_token: owner.refreshToken });
      expect([first.code, second.code]).toEqual(["ok", "ok"]);
      expect(second.body.refresh_token).toBe(first.body.refresh_token);
    });

    test("a repeated sign-out answers the same", async () => {
      const [first, second] = await repeat("SignOut", { refresh_token: owner.refreshToken });
      expect(first.code).toBe("ok");
      expect(contentOf(second)).toEqual(contentOf(first));
    });

    test("a repeated reset sends another code, and either can be used; a repeated confirmation changes nothing", async () => {
      const [first, second] = await repeat("StartPasswordReset", { email: owner.email });
      expect([first.code, second.code]).toEqual(["ok", "ok"]);
      await expect.poll(() => codesFor(owner.email)).toHaveLength(2);
      const codes = await codesFor(owner.email);
      const confirm = (code: string, more: object) =>
        call("ConfirmPasswordReset", { reset_id: first.body.reset_id, code, new_password: newPassword, ...more });
      // The newest is first. Which of the two messages left first is not known.
      const statuses = [];
      for (const code of codes) {
        statuses.push((await confirm(code, { new_password: newPassword })).body.status);
      }
      expect(statuses).toContain("approved");
      for (const code of codes) {
        const input = { reset_id: first.body.reset_id, code, new_password: "another horse battery" };
        const answers = await repeat("ConfirmPasswordReset", input);
        expect(answers.map(({ body }) => body.status)).toEqual(["expired", "expired"]);
      }
      expect(await isPassword(owner.email, newPassword)).toBe(true);
    });
  });

  test("reads with an idempotency key return the current state", async () => {
    const read = () => call("GetWorkspace", {}, { session, idempotencyKey });
    expect((await read()).code).toBe("ok");
    await call("UpdateWorkspace", { name: "Umbrella" }, { session });
    const again = await read();
    expect(again.body.name).toBe("Umbrella");
    expect(isReplayed(again)).toBe(false);
  });
});

describe("a malformed key is refused", () => {
  const keyOnly: ReadonlySet<string> = new Set(
    [VerifyService, LookupService, RecipientService].flatMap(({ methods }) => methods.map(({ name }) => name)),
  );
  const ids = { id: "key_0000000000000000000000", verification_id: "vrf_0000000000000000000000", number: "1" };
  let session: string;
  let key: string;
  beforeAll(async () => {
    session = (await app.signUp()).session;
    // Some calls take no key that does not name their scope.
    key = (await app.rest("POST", "/api-keys", { session, body: { name: "all", scopes: ["*"] } })).body.key;
  });

  test.each(protocolClients)("over $name by every call, with and without a credential", async (protocol) => {
    for (const rpc of Object.keys(rpcs) as RpcName[]) {
      const input = Object.fromEntries(
        Object.entries(ids).filter(([field]) => rpcs[rpc].method.input.fields.some(({ name }) => name === field)),
      );
      const credential = keyOnly.has(rpc) ? { key } : { session };
      const { code, body } = await over(protocol).call(rpc, input, { ...credential, idempotencyKey: '"' });
      expect(code, rpc).toBe("invalid_request");
      expect(body.message, rpc).toContain("Idempotency-Key");
    }
  });
});

test("a replay of what ended sessions waits, as the first answer did, until that holds on every server", async () => {
  const { session } = await app.signUp();
  const key = await mint(session);
  const logOut = () => app.rest("POST", "/auth/logout-all", { key, headers: { "Idempotency-Key": "once" } });
  expect((await logOut()).status).toBe(200);
  // A server that has a lease and has applied nothing, as if the one that answered first had died before it knew.
  await client.query(
    `INSERT INTO server (id, lease_ms, applied_seq, database_started_at, renewed_at)
     VALUES ('srv_slow', 60000, 0, pg_postmaster_start_time(), now())`,
  );
  let isAnswered = false;
  const replay = logOut().finally(() => {
    isAnswered = true;
  });
  for (let call = 0; call < 20; call += 1) {
    await app.rest("GET", "/lookup?number=1", { key });
  }
  expect(isAnswered).toBe(false);
  await client.query("DELETE FROM server WHERE id = 'srv_slow'");
  expect((await replay).headers.get("idempotent-replayed")).toBe("true");
});

test("comparing passwords with those of an earlier call counts as guessing", async () => {
  const { session, email } = await app.signUp();
  const weak = `${email.split("@")[0]}!!!!!`;
  const change = (currentPassword: string) =>
    app.rest("POST", "/auth/change-password", {
      session,
      headers: { "Idempotency-Key": "known to a thief" },
      body: { current_password: currentPassword, new_password: weak },
    });
  // The answer is kept: the new password is a part of the address.
  expect((await change(password)).body.error.code).toBe("validation_error");
  // The owner's own repetitions cost nothing.
  for (let time = 0; time < 12; time += 1) {
    expect((await change(password)).headers.get("idempotent-replayed")).toBe("true");
  }
  const codes: string[] = [];
  for (let guess = 0; guess < 12; guess += 1) {
    codes.push((await change(`guess ${guess}`)).body.error.code);
  }
  expect(codes).toEqual([...Array(10).fill("idempotency_key_reused"), "rate_limited", "rate_limited"]);
  const right = await change(password);
  expect(right.body.error.code).toBe("rate_limited");
  expect(right.headers.get("idempotent-replayed")).toBeNull();
});

test("equal requests of two accounts are stored separately", async () => {
  const [one, another] = [await app.signUp(), await app.signUp()];
  for (const { session } of [one, another]) {
    await app.rest("PATCH", "/workspace", { session, headers: { "Idempotency-Key": "same" }, body: { name: "Acme" } });
  }
  const { rows } = await client.query("SELECT fingerprint FROM idempotency WHERE workspace_id = ANY ($1)", [
    [one.workspaceId, another.workspaceId],
  ]);
  expect(new Set(rows.map(({ fingerprint }) => fingerprint)).size).toBe(2);
});

describe("where the answer cannot be stored there is no effect:", () => {
  let owner: SignedUp;
  let key: string;
  beforeEach(async () => {
    // The guesses of the tests before are forgotten: they came from the same address.
    await app.time.advance({ seconds: 300 });
    owner = await app.signUp();
    key = await mint(owner.session);
    await client.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no answers today'; END $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON idempotency FOR EACH ROW EXECUTE FUNCTION refuse()`);
    return () => client.query("DROP FUNCTION IF EXISTS refuse() CASCADE");
  });
  const call = (method: string, path: string, body: object | undefined, credential: object = {}) =>
    app.rest(method, path, {
      session: owner.session,
      headers: { "Idempotency-Key": fresh("key") },
      ...(body === undefined ? {} : { body }),
      ...credential,
    });
  const fail = async (...request: Parameters<typeof call>) => {
    expect((await call(...request)).status).toBe(500);
    await client.query("DROP FUNCTION refuse() CASCADE");
  };

  test("the password stays", async () => {
    await fail("POST", "/auth/change-password", { current_password: password, new_password: newPassword });
    expect(await isSignedIn(owner.session)).toBe(true);
    expect(await isPassword(owner.email, password)).toBe(true);
  });

  test("the sessions stay", async () => {
    await fail("POST", "/auth/logout-all", undefined, { session: undefined, key });
    expect(await isSignedIn(owner.session)).toBe(true);
  });

  test("no code is sent", async () => {
    await fail("POST", "/auth/verify-email", undefined);
    await call("POST", "/auth/verify-email", undefined);
    await app.messageTo(owner.email);
    expect(await codesFor(owner.email)).toHaveLength(1);
  });

  test("the address is not verified", async () => {
    await client.query("ALTER TABLE idempotency DISABLE TRIGGER refuse");
    await call("POST", "/auth/verify-email", undefined);
    await client.query("ALTER TABLE idempotency ENABLE TRIGGER refuse");
    await app.messageTo(owner.email);
    const [code = ""] = await codesFor(owner.email);
    await fail("POST", "/auth/verify-email/check", { code });
    const checked = await call("POST", "/auth/verify-email/check", { code });
    expect(checked.body).toEqual({ status: "approved", verified: true });
  });

  test("the workspace stays as it is", async () => {
    await fail("PATCH", "/workspace", { name: "Umbrella" });
    expect((await app.rest("GET", "/workspace", { session: owner.session })).body.name).not.toBe("Umbrella");
  });
});
