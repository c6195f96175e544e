/** What nobody needs any more goes, however much there is, and whoever runs the server does not wait for it. */
import pg from "pg";
import { expect, test, vi } from "vitest";
import { usedSignatureSweep } from "../../src/access/used-signatures.ts";
import { closedWorkspaceSweep } from "../../src/capabilities/accounts/closed-workspace-sweep.ts";
import { sessionSweep } from "../../src/capabilities/accounts/end-sessions.ts";
import { knownSourceSweep } from "../../src/capabilities/accounts/known-sources.ts";
import { balanceSweeps } from "../../src/capabilities/balance/balance-sweeps.ts";
import { countSweep } from "../../src/capabilities/guard/count-sweep.ts";
import { lookupSweep } from "../../src/capabilities/lookup/history/lookup-sweep.ts";
import { reportSweeps } from "../../src/capabilities/reports/report-sweeps.ts";
import { suppressionSweep } from "../../src/capabilities/suppressions/suppression-sweep.ts";
import { fixedCodeSweep } from "../../src/capabilities/verify/fixed-codes/fixed-code-sweep.ts";
import { guessSourceSweep } from "../../src/capabilities/verify/guessing/guess-source-sweep.ts";
import { ownVerificationSweep, verificationSweep } from "../../src/capabilities/verify/verification-sweep.ts";
import { Database, type QueryableTables } from "../../src/database/database.ts";
import { queryOf } from "../../src/database/statement.ts";
import { type Sweep, Sweeper } from "../../src/database/sweeper.ts";
import { throttleSweep } from "../../src/database/throttle.ts";
import { idempotencySweep } from "../../src/idempotency/answer-store.ts";
import { quotaSweep } from "../../src/quota/quota-store.ts";
import { revocationSweep } from "../../src/revocation/revocation-store.ts";
import { createMigratedDatabase, startTestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { ServerProcess } from "../support/processes.ts";
import { standardSchema, standardWorkspaceTables } from "../support/schema.ts";
import { rowsOfTwoWorkspaces, slotCounts } from "./rows-of-two-workspaces.ts";

const fullBuckets = (count: number) => `
  INSERT INTO throttle SELECT 'ws_' || i % 100, 'recipient:' || md5(i::text), byond_now() - interval '1 minute'
  FROM generate_series(1, ${count}) AS i`;

async function connect(url: string) {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  const count = async (table: string) => Number((await client.query(`SELECT count(*) FROM ${table}`)).rows[0].count);
  return { client, count, [Symbol.asyncDispose]: () => client.end() };
}

/** Suppressions, which are for 30 days, and fixed codes. */
const rowsInForce = `
  INSERT INTO suppression
    SELECT 'ws_' || i, 'sup_' || i, 'live', 'email', i, '', 'vrf_' || i, false, '', byond_now() - interval '29 days'
    FROM generate_series(1, 20) AS i;
  INSERT INTO fixed_code
    SELECT 'ws_' || i, 'fix_' || i, '', '', 6, '', NULL, '', byond_now() - interval '29 days', byond_now() + interval '1 day'
    FROM generate_series(1, 20) AS i`;

test.each([
  ["throttle", fullBuckets(5_000)],
  [
    "guess_source",
    `INSERT INTO guess_source SELECT 'ws_' || i, 'device:' || i, byond_now() - interval '2 hours', 1, 0,
       CASE WHEN i % 2 = 0 THEN byond_now() - interval '1 minute' END
     FROM generate_series(1, 5000) AS i`,
  ],
  [
    "session",
    `INSERT INTO session (workspace_id, id, account_id, token_revision, refresh_hash, created_at, refreshed_at, expires_at) SELECT 'ws_' || i, 's' || i, 'usr_' || i, 0, '', now, now, now
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "quota",
    `INSERT INTO quota SELECT 'ws_' || i, 'workspace', byond_now() - interval '2 hours', 0, array_fill(0, ARRAY[70])
     FROM generate_series(1, 5000) AS i`,
  ],
  [
    "idempotency",
    `INSERT INTO idempotency SELECT 'ws_' || i, 'live', 'key', '', '', now, now - interval '2 days'
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "used_signature",
    `INSERT INTO used_signature SELECT 'ws_' || i, '', byond_now() - interval '1 hour' FROM generate_series(1, 5000) AS i`,
  ],
  [
    "verification",
    `INSERT INTO verification (
       workspace_id, id, mode, channel, status, brand, metadata, code_length, secret_id, max_attempts, created_at, expires_at
     ) SELECT 'ws_' || i, 'vrf_' || i, 'test', 'email', 'pending', '', '{}', 6, '', 5, now - interval '400 days', now
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "suppression",
    `INSERT INTO suppression SELECT 'ws_' || i, 'sup_' || i, 'live', 'email', i, '', 'vrf_' || i, false, '', now - interval '31 days'
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "fixed_code",
    `INSERT INTO fixed_code SELECT 'ws_' || i, 'fix_' || i, '', '', 6, '', NULL, '', now - interval '30 days', now
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "spend_period",
    `INSERT INTO spend_period SELECT 'ws_' || i, '', 'day', (now - interval '401 days')::date, 1
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "spend_reserve",
    `INSERT INTO spend_reserve SELECT 'ws_' || i, 'rsv_' || i, '', 'srv_1', now::date, 1, now - interval '1 minute'
     FROM generate_series(1, 200) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "lookup",
    `INSERT INTO lookup SELECT 'ws_' || i, 'lkp_' || i, 'live', '', '', now - interval '400 days'
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "verification_hour",
    `INSERT INTO verification_hour SELECT 'ws_' || i, 'live', now - interval '401 days', 'email', 1, 1, 1, 0, 0, 0, 0, 0, '{}', '{}'
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "verification_slot",
    `INSERT INTO verification_slot SELECT 'ws_' || i, 'live', 15, now - interval '401 days', 'email', '', '', '', ${slotCounts}
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "verification_refund",
    `INSERT INTO verification_refund SELECT 'ws_' || i, 'dlv_' || i, 'vrf_' || i, 'live', now, 'sms', '', '', 1
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "usage_day",
    `INSERT INTO usage_day SELECT 'ws_' || i, 'live', now::date - 401, 'sms', 'SG', 'key_1', 1
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "request_hour",
    `INSERT INTO request_hour SELECT 'ws_' || i, 'live', now - interval '401 days', 'ok', 1
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "guard_block",
    `INSERT INTO guard_block SELECT 'ws_' || i, '+65912x', 'gbl_' || i, 1, 20, 0, now - interval '9 days', now - interval '8 days'
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "guard_hour",
    `INSERT INTO guard_hour SELECT 'ws_' || i, 'live', now - interval '401 days', 'vetoed', '', 1, 0
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
  [
    "guard_count",
    `INSERT INTO guard_count SELECT 'ws_' || i, '+x', now - interval '25 hours', 1, 0, 0
     FROM generate_series(1, 5000) AS i, (SELECT byond_now() AS now) AS clock`,
  ],
])("a round of %s goes on until nothing is stale", async (table, fill) => {
  await using app = await startTestApp({}, { sweepIntervalMs: 100 });
  await using database = await connect(app.databaseUrl);
  const before = await database.count(table);
  await database.client.query(fill);
  await vi.waitFor(async () => expect(await database.count(table)).toBe(before), { timeout: 20_000 });
});

test("a hundred thousand revocations are removed without the lease of any server being lost", async () => {
  await using app = await startTestApp({}, { sweepIntervalMs: 100 });
  await using database = await connect(app.databaseUrl);
  await database.client.query(
    "INSERT INTO revocation (subject, created_at) SELECT 'key:' || i, byond_now() FROM generate_series(1, 100000) AS i",
  );
  await vi.waitFor(async () => expect(await database.count("revocation")).toBe(1), { timeout: 30_000 });
  expect(app.logLines.filter((line) => /lease|revocation_unacknowledged/.test(line))).toEqual([]);
});

test("a locked revocation is skipped, and the sweep does not wait for it", async () => {
  await using app = await startTestApp({}, { sweepIntervalMs: 2 ** 30 });
  await using own = await connectDatabase(app.databaseUrl);
  await using database = await connect(app.databaseUrl);
  await database.client.query("UPDATE server SET applied_seq = 1000");
  await database.client.query(
    "INSERT INTO revocation (seq, subject, created_at) SELECT i, 'key:' || i, byond_now() FROM generate_series(1, 100) AS i ON CONFLICT DO NOTHING",
  );
  await database.client.query("BEGIN");
  await database.client.query("SELECT FROM revocation WHERE seq = 1 FOR UPDATE");
  await revocationSweep(own).removeBatch();
  await database.client.query("COMMIT");
  expect((await database.client.query("SELECT seq FROM revocation")).rows).toEqual([{ seq: "1" }]);
  await revocationSweep(own).removeBatch();
  expect(await database.count("revocation")).toBe(0);
});

test("rows in use are kept: active sessions, limits that are not full again, counts of the last hour, suppressions, fixed codes", async () => {
  await using app = await startTestApp({}, { sweepIntervalMs: 50 });
  await using database = await connect(app.databaseUrl);
  await database.client.query(rowsInForce);
  const { session, refreshToken } = await app.signUp();
  await app.time.advance({ seconds: 600 });
  await database.client.query(fullBuckets(1_000));
  await database.client.query(
    "INSERT INTO quota SELECT 'ws_' || i, 'workspace', byond_now() - interval '59 minutes', 0, array_fill(0, ARRAY[70]) FROM generate_series(1, 20) AS i",
  );
  await vi.waitFor(async () => expect(await database.count("throttle WHERE tat < byond_now()")).toBe(0), {
    timeout: 20_000,
  });
  expect(await database.count("quota WHERE workspace_id LIKE 'ws_%' AND key = 'workspace'")).toBe(20);
  expect([await database.count("suppression"), await database.count("fixed_code")]).toEqual([20, 20]);
  expect((await app.rest("GET", "/auth/me", { session })).status).toBe(200);
  expect((await app.rest("POST", "/auth/refresh", { body: { refresh_token: refreshToken } })).status).toBe(200);
});

test("a sweep whose plan was made on an empty table reads only a few pages of a full one", async () => {
  await using app = await startTestApp({}, { sweepIntervalMs: 2 ** 30 });
  await using database = await connect(app.databaseUrl);
  const { client } = database;
  const sent: pg.QueryConfig[] = [];
  const recorded: QueryableTables = {
    async run(statement, values) {
      sent.push(queryOf(statement.bind(values)));
      return [];
    },
    query: () => Promise.reject(new Error("a sweep runs statements")),
  };
  await client.query("SET plan_cache_mode = force_generic_plan");
  const deps = { database: { transaction: <T>(work: (transaction: QueryableTables) => Promise<T>) => work(recorded) } };
  const sweeps = [
    throttleSweep(deps),
    guessSourceSweep(deps),
    quotaSweep(deps),
    sessionSweep(deps),
    idempotencySweep(deps),
    knownSourceSweep(deps),
    usedSignatureSweep(deps),
    verificationSweep(deps, 400),
    ownVerificationSweep(deps),
    suppressionSweep(deps, 30),
    fixedCodeSweep(deps),
    lookupSweep(deps, 400),
    closedWorkspaceSweep(deps, standardWorkspaceTables),
    revocationSweep(deps),
    ...reportSweeps(deps, 400),
    countSweep(deps),
    ...balanceSweeps(deps),
  ];
  for (const sweep of sweeps) {
    await sweep.removeBatch();
  }
  expect(sent.length).toBe(2 * sweeps.length);
  await client.query("BEGIN");
  for (const statement of sent) {
    await client.query(statement);
  }
  await client.query("COMMIT");
  await client.query(
    "INSERT INTO workspace (id, name, created_at) VALUES ('ws_0', '', byond_now()), ('ws_1', '', byond_now())",
  );
  await client.query(rowsOfTwoWorkspaces(["ws_0", "ws_1"], 20_000));
  await client.query(`
    INSERT INTO account (id, workspace_id, email, password_hash, name, created_at) VALUES ('usr_0', 'ws_0', 'a@b.c', '', '', byond_now());
    INSERT INTO known_source SELECT 'usr_0', id::bytea, old FROM filled;
    INSERT INTO revocation (subject, created_at) SELECT id, old FROM filled;
    UPDATE server SET applied_seq = 1000000;
    UPDATE workspace SET deactivated_at = byond_now() - interval '1 hour' WHERE id = 'ws_1'`);
  for (const when of ["without statistics", "with statistics"]) {
    for (const [name, values, ...indexes] of [
      ["sweep_throttle", "('(0,0)', '(64,0)')"],
      ["sweep_guess_source", "('(0,0)', '(64,0)')"],
      ["sweep_quota", "('(0,0)', '(64,0)')"],
      ["sweep_session_1000", "", "session_oldest_first"],
      ["sweep_idempotency_1000", "", "idempotency_oldest_first"],
      ["sweep_known_source_1000", "", "known_source_oldest_first"],
      ["sweep_used_signature_1000", "", "used_signature_oldest_first"],
      ["sweep_verifications", "(400)", "verification_oldest_first", ...belongings],
      ["sweep_suppression", "('(0,0)', '(64,0)')"],
      ["sweep_fixed_code_1000", "", "fixed_code_by_expiry"],
      ["sweep_lookup_1000", "", "lookup_oldest_first"],
      ["sweep_own_verifications", "(1)", "verification_of_server", ...belongings],
      [
        "sweep_closed_workspaces",
        "",
        ...primaryKeys,
        "workspace_to_erase",
        "account_of_workspace",
        "api_key_newest_first",
        "webhook_endpoint_newest_first",
        "webhook_delivery_pkey",
        // A workspace has 400 rows at most.
        "safe_list_entry_pkey",
        "safe_list_entry_of_range",
        // It is nearly empty whenever statistics are taken.
        "event_pending_pkey",
        "event_pending_of_workspace",
        "event_of_workspace",
        "ledger_entry_newest_first",
        "ledger_entry_uncounted",
      ],
      ["sweep_revocation", "", "revocation_pkey"],
      ["sweep_verification_hour_1000", "", "verification_hour_oldest_first"],
      ["sweep_verification_slot_1000", "", "verification_slot_oldest_first"],
      ["sweep_usage_day_1000", "", "usage_day_oldest_first"],
      ["sweep_request_hour_1000", "", "request_hour_oldest_first"],
      ["sweep_guard_count_1000", "", "guard_count_oldest_first"],
      ["close_expired_spend_reserve", "", "spend_reserve_expires_at"],
      ["sweep_spend_period_1000", "", "spend_period_starts"],
    ]) {
      await client.query("BEGIN");
      await client.query("SET LOCAL enable_seqscan = off");
      const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE ${name}${values}`);
      await client.query("ROLLBACK");
      const nodes = nodesOf(rows[0]["QUERY PLAN"][0].Plan);
      const used = nodes.flatMap((node) => node["Index Name"] ?? []);
      const pages = Math.max(...nodes.map((node) => node["Shared Hit Blocks"] + node["Shared Read Blocks"]));
      expect([when, name, pages]).toEqual([when, name, expect.toSatisfy((read) => read < 10_000)]);
      expect([when, name, used.filter((index) => !indexes.includes(index))]).toEqual([when, name, []]);
    }
    await client.query("ANALYZE");
  }
});

interface PlanNode {
  readonly "Index Name"?: string;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

const belongings = ["verification_pkey", "delivery_attempt_pkey", "outbox_of_subject"];
const primaryKeys = [
  "verification",
  "fixed_code",
  "suppression",
  "lookup",
  "delivery_attempt",
  "outbox",
  "idempotency",
  "throttle",
  "guess_source",
  "quota",
  "used_signature",
  "session",
  "workspace",
  "verification_hour",
  "verification_slot",
  "verification_refund",
  "request_hour",
  "usage_day",
  "guard_setting",
  "guard_block",
  "guard_count",
  "guard_approval",
  "guard_hour",
  "late_number_send",
  "message_template",
  "spend_reserve",
  "ledger_entry",
  "spend_period",
  "spend_cap",
  "wallet",
].map((table) => `${table}_pkey`);

test("a stopping server ends a sweep of 300,000 rows between two batches", async () => {
  await using app = await startTestApp();
  await using database = await connect(app.databaseUrl);
  await database.client.query(fullBuckets(300_000));
  const server = await app.startAnother({}, { sweepIntervalMs: 50 });
  await vi.waitFor(async () => expect(await database.count("throttle")).toBeLessThan(300_000), { timeout: 20_000 });
  const before = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - before).toBeLessThan(3_000);
  expect(await database.count("throttle")).toBeGreaterThan(0);
});

test("a server that SIGTERM stops during a sweep ends in time, and the next one removes the rest", async () => {
  const { url, drop } = await createMigratedDatabase();
  {
    await using database = await connect(url);
    await database.client.query(fullBuckets(300_000));
    await using server = await ServerProcess.start({ databaseUrl: url, program: "test/system/sweeping-server.ts" });
    const left = () => database.count("throttle");
    await expect.poll(left).toBeLessThan(300_000);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(server.logLines.filter(({ event }) => event === "stop_incomplete")).toEqual([]);
    expect(await left()).toBeGreaterThan(0);
    await using _next = await server.startAnother();
    await expect.poll(left, { timeout: 60_000 }).toBe(0);
  }
  await drop();
});

test("servers share the sweeps: one of two runs a sweep, and the other one runs the next when it is due", async () => {
  await using app = await startTestApp();
  await using own = await connectDatabase(app.databaseUrl);
  const done: string[] = [];
  const sweeperOf = (server: string) =>
    new Sweeper({
      database: own.database,
      logger: captureLog().logger,
      intervalMs: 3_600_000,
      sweeps: ["one", "two"].map((name) => ({
        name,
        async removeBatch() {
          done.push(`${server} ${name}`);
          return false;
        },
      })),
    });
  const [first, second] = [sweeperOf("first"), sweeperOf("second")];
  await first.sweep();
  await second.sweep();
  expect(done).toEqual(["first one", "first two"]);
  await app.time.advance({ seconds: 3_600 });
  await second.sweep();
  await first.sweep();
  expect(done.slice(2)).toEqual(["second one", "second two"]);
  await app.time.advance({ seconds: 3_600 });
  await Promise.all([first.sweep(), second.sweep()]);
  await second.sweep();
  expect(
    done
      .slice(4)
      .map((entry) => entry.split(" ")[1])
      .sort(),
  ).toEqual(["one", "two"]);
});

test("a failed sweep runs again the next time, and does not delay the others", async () => {
  await using app = await startTestApp();
  await using own = await connectDatabase(app.databaseUrl);
  const log = captureLog();
  let fails = true;
  const done: string[] = [];
  const sweepOf = (name: string): Sweep => ({
    name,
    async removeBatch() {
      if (fails && name === "one") {
        throw new Error("no luck");
      }
      done.push(name);
      return false;
    },
  });
  const sweeps = [sweepOf("one"), sweepOf("two")];
  const sweeper = new Sweeper({ database: own.database, logger: log.logger, intervalMs: 60_000, sweeps });
  await sweeper.sweep();
  expect(done).toEqual(["two"]);
  expect(log.lines).toEqual([expect.stringMatching(/"event":"sweep_failed","sweep":"one".*no luck/)]);
  fails = false;
  await app.time.advance({ seconds: 60 });
  await sweeper.sweep();
  expect(done).toEqual(["two", "one", "two"]);
});

test("a database clock that was a year ahead for a while delays no sweep", async () => {
  await using app = await startTestApp();
  await using own = await connectDatabase(app.databaseUrl);
  let rounds = 0;
  const sweep: Sweep = {
    name: "one",
    async removeBatch() {
      rounds += 1;
      return false;
    },
  };
  const sweeper = new Sweeper({
    database: own.database,
    logger: captureLog().logger,
    intervalMs: 60_000,
    sweeps: [sweep],
  });
  await app.time.advance({ seconds: 365 * 86_400 });
  await sweeper.sweep();
  await app.time.advance({ seconds: -365 * 86_400 });
  await sweeper.sweep();
  expect(rounds).toBe(2);
});

async function connectDatabase(url: string) {
  const database = await Database.open({
    connection: await connectionTo(url),
    logger: captureLog().logger,
    ...standardSchema,
  });
  return { database, [Symbol.asyncDispose]: () => database.close() };
}
