/**
 * Every effect happens before a revocation of its credential is answered, or not at all: wherever in its statements the
 * effect is held up when the credential is revoked.
 */
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { password, type RestAnswer, type SignedUp, type TestApp, useTestApp } from "../support/app.ts";
import { untilWaitingForLocks } from "../support/lock-waits.ts";
import { until } from "./load.ts";

const here = useTestApp();
let there: TestApp;
let blocker: pg.Client;
let observer: pg.Client;
beforeAll(async () => {
  there = await here.startAnother();
  [blocker, observer] = [0, 1].map(() => new pg.Client({ connectionString: here.databaseUrl })) as [
    pg.Client,
    pg.Client,
  ];
  await blocker.connect();
  await observer.connect();
  await observer.query(atCommit);
});
afterEach(() => blocker.query("ROLLBACK; SELECT pg_advisory_unlock_all()"));
afterAll(async () => {
  await blocker.end();
  await observer.end();
  await there[Symbol.asyncDispose]();
});

/** Transactions that write to keys wait at the second one, those that write to the other tables at the first. */
const gates = [4_711, 4_712] as const;

/** Every transaction that writes to one of these tables waits at its commit while the blocker holds the gate. */
const atCommit = `
  CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
    RETURN NULL;
  END $$;
  ${["verification", "outbox", "account", "workspace", "api_key"]
    .map(
      (table) => `
        CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT OR UPDATE OR DELETE ON ${table}
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
          EXECUTE FUNCTION wait_at_commit(${table === "api_key" ? gates[1] : gates[0]});`,
    )
    .join("")}`;

/** An effect that is about to be called, in a workspace of its own. */
interface Prepared {
  readonly owner: SignedUp;
  readonly keyId: string;
  call(on: TestApp): Promise<RestAnswer>;
}

interface Effect {
  readonly name: string;
  readonly credential: "key" | "session";
  readonly endsSessions?: true;
  /** The tables whose rows of the workspace it locks, or whose existing rows it waits for. */
  readonly locks: readonly Table[];
  prepare(): Promise<Omit<Prepared, "owner" | "keyId">> | Omit<Prepared, "owner" | "keyId">;
}

type Table =
  | "throttle"
  | "wrong passwords"
  | "house-throttle"
  | "verification"
  | "house-verification"
  | "outbox"
  | "api_key"
  | "account"
  | "workspace";

const rowsOf: Readonly<Record<Table, string>> = {
  throttle: "SELECT FROM throttle WHERE workspace_id = $1 FOR UPDATE",
  "wrong passwords": "SELECT FROM throttle WHERE workspace_id = 'sign-in' AND $1 <> '' FOR UPDATE",
  "house-throttle": "SELECT FROM throttle WHERE workspace_id LIKE 'ws_byond%' AND $1 <> '' FOR UPDATE",
  verification: "SELECT FROM verification WHERE workspace_id = $1 FOR UPDATE",
  "house-verification": "SELECT FROM verification WHERE workspace_id LIKE 'ws_byond%' AND $1 <> '' FOR UPDATE",
  outbox: "SELECT FROM outbox WHERE workspace_id = $1 FOR UPDATE",
  api_key: "SELECT FROM api_key WHERE workspace_id = $1 FOR UPDATE",
  account: "SELECT FROM account WHERE workspace_id = $1 FOR UPDATE",
  workspace: "SELECT FROM workspace WHERE id = $1 FOR UPDATE",
};

let owner: SignedUp;
let key: string;
let keyId: string;
let verificationId: string;
const recipient = "ada@example.com";

const withKey = (path: string, body?: unknown) => (on: TestApp) =>
  on.rest("POST", path, { key, ...(body === undefined ? {} : { body }) });
const withSession =
  (method: string, path: string, body?: unknown) =>
  (on: TestApp): Promise<RestAnswer> =>
    on.rest(method, path, { session: owner.session, ...(body === undefined ? {} : { body }) });

/** All of them. The first verification is pending, and has a wrong attempt behind it, so that its buckets exist. */
const effects: readonly Effect[] = [
  {
    name: "starting a verification",
    credential: "key",
    locks: ["throttle"],
    prepare: () => ({ call: withKey("/verify/start", { channel: "email", recipient }) }),
  },
  {
    name: "sending a code again",
    credential: "key",
    locks: ["throttle", "verification"],
    prepare: () => ({ call: withKey(`/verify/${verificationId}/resend`, {}) }),
  },
  {
    name: "checking a code",
    credential: "key",
    locks: ["throttle", "verification"],
    prepare: () => ({ call: withKey("/verify/check", { verification_id: verificationId, code: "000000" }) }),
  },
  {
    name: "canceling a verification",
    credential: "key",
    locks: ["verification"],
    prepare: () => ({ call: withKey(`/verify/${verificationId}/cancel`, {}) }),
  },
  {
    name: "sending a code again with a session",
    credential: "session",
    locks: ["throttle", "verification"],
    prepare: () => ({ call: withSession("POST", `/verify/${verificationId}/resend`, {}) }),
  },
  {
    name: "canceling a verification with a session",
    credential: "session",
    locks: ["verification"],
    prepare: () => ({ call: withSession("POST", `/verify/${verificationId}/cancel`) }),
  },
  {
    name: "erasing a recipient",
    credential: "key",
    locks: ["verification", "outbox"],
    prepare: () => ({ call: withKey("/verifications/erase", { recipient }) }),
  },
  {
    name: "creating a key",
    credential: "session",
    locks: ["workspace"],
    prepare: () => ({ call: withSession("POST", "/api-keys", { name: "late" }) }),
  },
  {
    name: "changing a key",
    credential: "session",
    locks: ["api_key"],
    prepare: () => ({ call: withSession("PATCH", `/api-keys/${keyId}`, { name: "late" }) }),
  },
  {
    name: "rotating a key",
    credential: "session",
    locks: ["api_key"],
    prepare: () => ({ call: withSession("POST", `/api-keys/${keyId}/rotate`, {}) }),
  },
  {
    name: "revoking a key",
    credential: "session",
    locks: ["api_key"],
    prepare: () => ({ call: withSession("DELETE", `/api-keys/${keyId}`) }),
  },
  {
    name: "changing the workspace",
    credential: "session",
    locks: ["workspace"],
    prepare: () => ({ call: withSession("PATCH", "/workspace", { name: "late" }) }),
  },
  {
    name: "asking for a code to the account's address",
    credential: "session",
    locks: ["house-throttle", "account"],
    async prepare() {
      await withSession("POST", "/auth/verify-email")(here);
      return { call: withSession("POST", "/auth/verify-email") };
    },
  },
  {
    name: "checking the code to the account's address",
    credential: "session",
    locks: ["house-verification", "account"],
    async prepare() {
      await withSession("POST", "/auth/verify-email")(here);
      const [code = ""] = /\b\d{8}\b/.exec((await here.messageTo(owner.email)).text) ?? [];
      return { call: withSession("POST", "/auth/verify-email/check", { code }) };
    },
  },
  {
    name: "changing the password",
    credential: "session",
    locks: ["wrong passwords", "account"],
    prepare: () => ({
      call: withSession("POST", "/auth/change-password", { current_password: password, new_password: `${password} 2` }),
    }),
  },
  {
    name: "signing out everywhere",
    credential: "session",
    locks: ["account"],
    prepare: () => ({ call: withSession("POST", "/auth/logout-all") }),
  },
  {
    name: "signing out everywhere with a key",
    credential: "key",
    endsSessions: true,
    locks: ["account"],
    prepare: () => ({ call: withKey("/auth/logout-all") }),
  },
  {
    name: "deleting the account",
    credential: "session",
    locks: ["wrong passwords", "account", "api_key", "workspace"],
    prepare: () => ({ call: withSession("POST", "/auth/delete-account", { password }) }),
  },
  {
    name: "deleting the account with a key",
    credential: "key",
    endsSessions: true,
    locks: ["wrong passwords"],
    prepare: () => ({ call: withKey("/auth/delete-account", { password }) }),
  },
];

async function prepare(effect: Effect): Promise<Prepared> {
  owner = await here.signUp();
  const { body } = await here.rest("POST", "/api-keys", { session: owner.session, body: { name: "a key" } });
  ({ key, id: keyId } = body);
  const started = await withKey("/verify/start", { channel: "email", recipient })(here);
  verificationId = started.body.verification_id;
  await withKey("/verify/check", { verification_id: verificationId, code: "1" })(here);
  await withKey(`/verify/${verificationId}/resend`, {})(here);
  if (effect.locks.includes("wrong passwords")) {
    await here.rest("POST", "/auth/sign-in", { body: { email: owner.email, password: "a wrong password" } });
  }
  const prepared = await effect.prepare();
  await until("everything is delivered", 20_000, async () => {
    const { rowCount } = await observer.query("SELECT FROM outbox WHERE status = 'pending'");
    return rowCount === 0;
  });
  return { owner, keyId, ...prepared };
}

/** Ends the credential of an effect. */
function revoke(effect: Effect, on: TestApp): Promise<RestAnswer> {
  return effect.credential === "key"
    ? on.rest("DELETE", `/api-keys/${keyId}`, { session: owner.session })
    : on.rest("POST", "/auth/sign-out", { body: { refresh_token: owner.refreshToken } });
}

/** What effects change. Revoking a key changes keys, and signing out sessions: they are left out accordingly. */
async function state(effect: Effect): Promise<string> {
  const tables = ["verification", "outbox", "account", "workspace", "throttle"];
  const texts = [...tables, ...(effect.credential === "session" ? ["api_key", "api_key_secret"] : [])].map(
    (table) => `SELECT '${table}' AS name, to_jsonb(t) - 'last_used_at' AS row FROM ${table} AS t`,
  );
  // That a password is counted is no effect.
  const { rows } = await observer.query(
    `SELECT * FROM (${texts.join(" UNION ALL ")}) AS rows WHERE row ->> 'workspace_id' IS DISTINCT FROM 'sign-in'
     ORDER BY name, row::text`,
  );
  return JSON.stringify(rows);
}

const waiting = (count: number) => untilWaitingForLocks(count, async (text) => (await observer.query(text)).rows);

describe.each(effects)("$name", (effect) => {
  test.each(effect.locks)(
    "has no effect if its credential was revoked while it waited for rows of %s",
    async (table) => {
      const { call } = await prepare(effect);
      const before = await state(effect);
      await blocker.query("BEGIN");
      await blocker.query(rowsOf[table], [owner.workspaceId]);
      const answer = call(here);
      await waiting(1);
      expect((await revoke(effect, there)).status).toBe(200);
      await blocker.query("ROLLBACK");
      expect((await answer).status).toBe(401);
      await until("its statement is over", 20_000, async () => {
        const { rowCount } = await observer.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()",
        );
        return rowCount === 0;
      });
      expect(await state(effect)).toBe(before);
    },
  );

  test("has its effect before the revocation is answered, if it is being committed", async () => {
    const { call } = await prepare(effect);
    const before = await state(effect);
    // A revocation of a key writes to keys itself: it must not wait for its own commit.
    const closed = effect.credential === "key" ? [gates[0]] : gates;
    await blocker.query("SELECT pg_advisory_lock(gate) FROM unnest($1::bigint[]) AS gate", [closed]);
    const answer = call(here);
    await waiting(1);
    const revocation = revoke(effect, there);
    // The revocation is the other one that waits: it is not answered.
    await waiting(2);
    await blocker.query("SELECT pg_advisory_unlock_all()");
    // Who revokes a key is a session, which the effect may have ended.
    const isEnded = effect.credential === "key" && effect.endsSessions === true;
    expect((await revocation).status).toBe(isEnded ? 401 : 200);
    await answer;
    expect(await state(effect)).not.toBe(before);
  });
});

test("a key whose scope was taken away has no effect any more, and one that may more now has its effect", async () => {
  const [start] = effects;
  if (start === undefined) {
    throw new TypeError("there are effects");
  }
  for (const [scopes, status] of [
    [["lookup"], 403],
    [["verify", "lookup"], 201],
  ] as const) {
    const { call } = await prepare(start);
    await blocker.query("BEGIN");
    await blocker.query(rowsOf.throttle, [owner.workspaceId]);
    const answer = call(here);
    await waiting(1);
    const change = await there.rest("PATCH", `/api-keys/${keyId}`, { session: owner.session, body: { scopes } });
    expect(change.status).toBe(200);
    await blocker.query("ROLLBACK");
    expect((await answer).status).toBe(status);
  }
});

test("a second call that signs out everywhere finds that its session has ended", async () => {
  const { session } = await here.signUp();
  const answers = await Promise.all([here, there].map((on) => on.rest("POST", "/auth/logout-all", { session })));
  const statuses = answers.map(({ status }) => status).toSorted();
  expect([
    [200, 401],
    [200, 200],
  ]).toContainEqual(statuses);
});
