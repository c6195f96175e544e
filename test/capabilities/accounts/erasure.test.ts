/** What is left in the database of an account that ended, and for how long: `docs/security.md` names all of it. */
import pg from "pg";
import { beforeAll, expect, test, vi } from "vitest";
import { closedWorkspaceSweep } from "../../../src/capabilities/accounts/closed-workspace-sweep.ts";
import { unverifiedAccountSweep } from "../../../src/capabilities/accounts/unverified-account-sweep.ts";
import { laneOf } from "../../../src/capabilities/channels/channels.ts";
import { ownVerificationSweep } from "../../../src/capabilities/verify/verification-sweep.ts";
import { Database } from "../../../src/database/database.ts";
import { throttleSweep } from "../../../src/database/throttle.ts";
import { idempotencySweep } from "../../../src/idempotency/answer-store.ts";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
import { connectionTo } from "../../support/database-address.ts";
import { captureLog } from "../../support/log-capture.ts";
import { loopbackProxy } from "../../support/loopback-proxy.ts";
import { standardSchema, standardWorkspaceTables } from "../../support/schema.ts";
import { sweepAll } from "../../support/sweep-all.ts";

const name = "Ada Lovelace";
const email = "ada.lovelace@example.com";
const ip = "203.0.113.77";
const endUserIp = "198.51.100.23";
const headers = { "x-forwarded-for": ip };

/** Nothing else in the database looks like one of these. */
const personal = [
  name,
  "lovelace",
  ip,
  endUserIp,
  "her laptop",
  "Babbage",
  "order of ada",
  "mint for ada",
  "rename for ada",
];
/** The Idempotency-Key of the account's last call. */
const farewell = "farewell of ada";

let app: TestApp;
let database: Database;
beforeAll(async () => {
  app = await startTestApp(
    {
      proxyTrust: loopbackProxy,
      defaultTier: "unlimited",
      sendLimits: { sourceSendsPerMinute: 1_000, endUserSendsPerHour: 10 },
      signUpsPerHour: 10,
    },
    // By hand, so that it can be seen what is there before.
    { sweepIntervalMs: 2 ** 30 },
  );
  database = await Database.open({
    connection: await connectionTo(app.databaseUrl),
    logger: captureLog().logger,
    ...standardSchema,
  });
  return async () => {
    await database.close();
    await app[Symbol.asyncDispose]();
  };
});

/** Every row of every table, as text, with the table's name before it. */
async function dump(): Promise<string[]> {
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    const tables = await client.query(
      "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'",
    );
    const rows: string[] = [];
    for (const { name: table } of tables.rows) {
      const { rows: found } = await client.query(`SELECT to_jsonb(each)::text AS row FROM ${table} AS each`);
      rows.push(...found.map(({ row }) => `${table} ${row}`));
    }
    return rows;
  } finally {
    await client.end();
  }
}

const found = (rows: readonly string[], words: readonly string[]) =>
  rows.filter((row) => words.some((word) => row.toLowerCase().includes(word.toLowerCase())));

/** What is only kept sealed, so that rows are found by the ids of what they belong to. */
const recipients = ["grace@example.com", "+6591234567"];

/** An account that has done everything that leaves something behind. */
async function leadALife(address: string) {
  const post = async (path: string, body: unknown, call: { key?: string; session?: string } = {}, extra = {}) => {
    const answer = await app.rest("POST", path, { ...call, body, headers: { ...headers, ...extra } });
    return { status: answer.status, ...answer.body };
  };
  const signedUp = await post("/auth/sign-up", { email: address, password, name });
  const { user_id: userId, workspace_id: workspaceId } = signedUp;
  await post("/auth/sign-in", { email: address, password: "not the password" });
  const { access_token: session } = await post("/auth/sign-in", { email: address, password });
  await post("/auth/verify-email", {}, { session });
  await post("/auth/verify-email/check", { code: "00000000" }, { session });
  await post("/auth/reset-password", { email: address });
  const renaming = { ...headers, "Idempotency-Key": "rename for ada" };
  await app.rest("PATCH", "/workspace", { session, headers: renaming, body: { ip_allowlist: [ip] } });
  const mint = { name: "her laptop", ip_allowlist: [ip] };
  const { key, id } = await post("/api-keys", mint, { session }, { "Idempotency-Key": "mint for ada" });
  for (const [channel, recipient] of [
    ["email", recipients[0]],
    ["whatsapp", recipients[1]],
    ["sms", recipients[1]],
  ]) {
    const start = { channel, recipient, end_user_ip: endUserIp, metadata: { customer: "Babbage" } };
    const { verification_id } = await post(
      "/verify/start",
      start,
      { key },
      { "Idempotency-Key": `order of ada ${channel}` },
    );
    await post("/verify/check", { verification_id, code: "1" }, { key });
  }
  await app.messageTo("grace@example.com");
  expect(found(await dump(), recipients)).toEqual([]);
  const { id: revoked } = await post("/api-keys", { name: "her laptop" }, { session });
  await app.rest("DELETE", `/api-keys/${revoked}?reason=her+laptop+was+stolen`, { session, headers });
  return { userId, workspaceId, keyId: id, session, ids: [userId, workspaceId, id].map(String) };
}

/** Of the counters that strangers are held off by, which outlive accounts, or deleting one would be a way around them. */
const strangersCounters = /^throttle .*"workspace_id": "(sign-up|sign-in|reset-password|verify-email)"/;

async function expectTraces(ids: readonly string[]) {
  // At once: nobody is named any more.
  expect(found(await dump(), [email]).filter((row) => !row.startsWith("idempotency"))).toEqual([]);

  await tenMinutesLater();
  await sweepAll(closedWorkspaceSweep({ database }, standardWorkspaceTables));
  const soon = await dump();
  expect(found(soon, [...personal, farewell, ...recipients]).filter((row) => !strangersCounters.test(row))).toEqual([]);
  // Ids say nothing without the account; codes of ours hold its address, sealed.
  const named = found(soon, ids).filter((row) => !row.startsWith("revocation ") && !strangersCounters.test(row));
  expect(named.filter((row) => !/"workspace_id": "ws_byond\/usr_/.test(row))).toEqual([]);

  await app.time.advance({ seconds: 86_401 });
  await sweepAll(ownVerificationSweep({ database }));
  await sweepAll(throttleSweep({ database }));
  await sweepAll(idempotencySweep({ database }));
  const later = await dump();
  expect(found(later, [...personal, "ws_byond"])).toEqual([]);
  expect(found(later, ids).filter((row) => !row.startsWith("revocation "))).toEqual([]);
}

test("a deleted account leaves nothing of its recipients, and only the documented personal data", async () => {
  const { session, ids } = await leadALife(email);
  const before = await dump();
  for (const word of personal) {
    expect(found(before, [word]), word).not.toEqual([]);
  }
  const { status } = await app.rest("POST", "/auth/delete-account", {
    session,
    headers: { ...headers, "Idempotency-Key": farewell },
    body: { password },
  });
  expect(status).toBe(200);
  const atOnce = await dump();
  expect(found(atOnce, [farewell])).not.toEqual([]);
  expect(found(atOnce, ["lovelace"]).filter((row) => !row.startsWith("verification "))).toEqual([]);
  await expectTraces(ids);
});

test("an unverified account that ends leaves no more than a deleted one", async () => {
  const { ids } = await leadALife(email);
  const revoked: string[][] = [];
  const ended = unverifiedAccountSweep({
    database,
    lane: laneOf("email", "live"),
    revocation: {
      revoke: async (subjects, change) => {
        revoked.push([...subjects]);
        return database.transaction(change);
      },
    },
  });
  await app.time.advance({ seconds: 49 * 3_600 });
  await sweepAll(ended);
  await app.time.advance({ seconds: 25 * 3_600 });
  await sweepAll(ended);
  expect(revoked.flat()).toEqual([`account:${ids[0]}`, `workspace:${ids[1]}`]);
  await expectTraces(ids);
});

test("a removed code of the server's own is expired, and verifications in use stay", async () => {
  const { access_token: session } = (
    await app.rest("POST", "/auth/sign-up", { headers, body: { email: "other@example.com", password, name: "Other" } })
  ).body;
  await app.rest("POST", "/auth/verify-email", { session, headers });
  const key = (await app.rest("POST", "/api-keys", { session, headers, body: { name: "a key" } })).body.key;
  const body = { channel: "email", recipient: "someone@example.com" };
  const { verification_id } = (await app.rest("POST", "/verify/start", { key, headers, body })).body;
  await app.time.advance({ seconds: 86_401 });
  await sweepAll(ownVerificationSweep({ database }));
  await sweepAll(closedWorkspaceSweep({ database }, standardWorkspaceTables));
  expect(found(await dump(), ["ws_byond/usr_"]).filter((row) => row.startsWith("verification "))).toEqual([]);
  const { body: signedIn } = await app.rest("POST", "/auth/sign-in", {
    headers,
    body: { email: "other@example.com", password },
  });
  const checked = await app.rest("POST", "/auth/verify-email/check", {
    session: signedIn.access_token,
    headers,
    body: { code: "00000000" },
  });
  expect(checked.body).toEqual({ status: "expired", verified: false });
  expect((await app.rest("GET", `/verify/${verification_id}`, { key, headers })).status).toBe(200);
});

/** In ten minutes every event has its position. Their rows must not be held by what gives it when they are erased. */
async function tenMinutesLater() {
  await app.time.advance({ seconds: 601 });
  await using own = await connect();
  await vi.waitFor(async () => {
    expect((await own.client.query("SELECT FROM event_pending")).rowCount).toBe(0);
  }, 10_000);
}

async function connect() {
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

async function insertVerifications(client: pg.Client, workspaceId: string, count: number): Promise<void> {
  await client.query(
    `INSERT INTO verification (
       workspace_id, id, mode, channel, status, brand, metadata, code_length, secret_id, max_attempts, created_at, expires_at
     ) SELECT $1, 'vrf_' || i, 'live', 'email', 'approved', '', '{}', 6, '', 5, now, now
     FROM generate_series(1, $2::integer) AS i, (SELECT byond_now() AS now) AS clock`,
    [workspaceId, count],
  );
}

test("thousands of verifications are removed a batch at a time, without the keys of others", async () => {
  const gone = await leadALife("charles@example.com");
  await using own = await connect();
  await insertVerifications(own.client, gone.workspaceId, 2_600);
  const other = await app.mintKey();
  await app.rest("POST", "/auth/delete-account", { session: gone.session, headers, body: { password } });
  await tenMinutesLater();
  const sweep = closedWorkspaceSweep({ database }, standardWorkspaceTables);
  let batches = 0;
  for (; await sweep.removeBatch(); batches += 1);
  expect(batches).toBeGreaterThan(5);
  expect(found(await dump(), [gone.workspaceId]).filter((row) => !row.startsWith("revocation "))).toEqual([]);
  expect((await app.rest("GET", "/lookup?number=1", { key: other })).status).toBe(200);
});

/** The tables that still hold something of it, revocations aside. */
const tablesWith = async (id: unknown) =>
  [
    ...new Set(
      found(await dump(), [String(id)])
        .map((row) => row.split(" ")[0])
        .filter((table) => table !== "revocation"),
    ),
  ].sort();

test("two servers that erase one account at once leave nothing of it", async () => {
  const gone = await leadALife("annabella@example.com");
  await using own = await connect();
  await insertVerifications(own.client, gone.workspaceId, 2_600);
  await app.rest("POST", "/auth/delete-account", { session: gone.session, headers, body: { password } });
  await tenMinutesLater();
  const removed = Promise.withResolvers<void>();
  const isReleased = Promise.withResolvers<void>();
  const slow: Pick<Database, "transaction"> = {
    transaction: (work) =>
      database.transaction(async (transaction) => {
        const result = await work(transaction);
        removed.resolve();
        await isReleased.promise;
        return result;
      }),
  };
  const first = closedWorkspaceSweep({ database: slow }, standardWorkspaceTables).removeBatch();
  await removed.promise;
  const second = closedWorkspaceSweep({ database }, standardWorkspaceTables);
  let isSecondDone = false;
  const secondBatch = second.removeBatch().finally(() => {
    isSecondDone = true;
  });
  await vi.waitFor(
    async () => {
      const { rowCount } = await own.client.query("SELECT FROM pg_locks WHERE NOT granted");
      expect(isSecondDone || rowCount !== 0).toBe(true);
    },
    { timeout: 20_000 },
  );
  isReleased.resolve();
  await Promise.all([first, secondBatch]);
  await sweepAll(second);
  expect(await tablesWith(gone.workspaceId)).toEqual([]);
});

test("a locked row is left, and erased by the next sweep", async () => {
  const gone = await leadALife("allegra@example.com");
  await app.rest("POST", "/auth/delete-account", { session: gone.session, headers, body: { password } });
  await tenMinutesLater();
  await using own = await connect();
  await own.client.query("BEGIN");
  await own.client.query("SELECT FROM verification WHERE workspace_id = $1 LIMIT 1 FOR UPDATE", [gone.workspaceId]);
  const sweep = closedWorkspaceSweep({ database }, standardWorkspaceTables);
  await sweepAll(sweep);
  expect(await tablesWith(gone.workspaceId)).toEqual(["verification", "workspace"]);
  await own.client.query("COMMIT");
  await sweepAll(sweep);
  expect(await tablesWith(gone.workspaceId)).toEqual([]);
});
