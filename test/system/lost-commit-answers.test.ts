/** Effects whose answer from PostgreSQL is lost, or comes too late: what the client is told is what happened. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { codeIn, until } from "./load.ts";

const resources = new AsyncDisposableStack();
let proxy: CuttingProxy;
let sink: SmtpSink;
let direct: pg.Client;
let server: ServerProcess;
/** On the same database, not through the proxy. */
let other: ServerProcess;
let key: string;
let session: string;
let workspaceId: string;
let recipients = 0;
let recipient: string;
const password = "a long enough password";

beforeAll(async () => {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  direct = new pg.Client({ connectionString: database.url });
  await direct.connect();
  resources.defer(() => direct.end());
  proxy = resources.use(await CuttingProxy.open(database.url));
  sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  const environment = { SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" };
  server = resources.use(await ServerProcess.start({ databaseUrl: proxy.url, environment }));
  other = resources.use(await ServerProcess.start({ databaseUrl: database.url, environment }));
  ({ session, workspaceId } = await server.signUp());
  ({ key } = (await server.rest("POST", "/api-keys", { session, body: { name: "a key" } })).body);
});
afterAll(() => resources.disposeAsync());
beforeEach(() => {
  recipients += 1;
  recipient = `user-${recipients}@example.com`;
});

const start = (headers: Record<string, string> = {}, on = server) =>
  on.rest("POST", "/verify/start", { key, headers, body: { channel: "email", recipient } });
const mails = () => sink.mails.filter(({ to }) => to.includes(recipient));
const rows = async (table: "verification" | "api_key") => {
  const { rows: found } = await direct.query(`SELECT id FROM ${table} WHERE workspace_id = $1`, [workspaceId]);
  return found.map(({ id }) => String(id));
};
const nothingRuns = () =>
  until("no statement is under way", 30_000, async () => {
    const { rowCount } = await direct.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );
    return rowCount === 0;
  });

describe("when the connection is cut between COMMIT and its answer", () => {
  test("starting a verification is answered, and its message sent once", async () => {
    proxy.cutNext({ text: "start_verification", when: "after" });
    const { status, body } = await start();
    expect([status, body.status]).toEqual([201, "pending"]);
    expect(await rows("verification")).toContain(body.verification_id);
    await until("the mail is there", 30_000, () => mails().length > 0);
    expect(mails()).toHaveLength(1);
  });

  test("checking a right code answers approved, and a wrong one incorrect", async () => {
    const { body } = await start();
    await until("the mail is there", 30_000, () => mails().length > 0);
    const code = codeIn(mails()[0]?.source ?? "");
    const check = (submitted: string) =>
      server.rest("POST", "/verify/check", { key, body: { verification_id: body.verification_id, code: submitted } });
    proxy.cutNext({ text: "check_verification", when: "after" });
    expect((await check("1")).body.status).toBe("incorrect");
    proxy.cutNext({ text: "check_verification", when: "after" });
    expect((await check(code)).body.status).toBe("approved");
    expect((await check(code)).body.status).toBe("expired");
  });

  test("resending a code is answered, and the code sent once", async () => {
    const { body } = await start();
    proxy.cutNext({ text: "resend_code", when: "after" });
    const again = await server.rest("POST", `/verify/${body.verification_id}/resend`, { key, body: {} });
    expect([again.status, again.body.deliveries.length]).toEqual([200, 2]);
    await until("both mails are there", 30_000, () => mails().length >= 2);
    expect(mails()).toHaveLength(2);
  });

  test("creating a key is answered, with its secret", async () => {
    proxy.cutNext({ text: "COMMIT", transactionWith: "key with a lost answer", when: "after" });
    const { status, body } = await server.rest("POST", "/api-keys", {
      session,
      body: { name: "key with a lost answer" },
    });
    expect(status).toBe(201);
    expect((await server.rest("GET", "/auth/me", { key: body.key })).status).toBe(200);
  });

  test("if the outcome cannot be looked up, the answer is 504, and a retry with the same Idempotency-Key gets the result", async () => {
    const headers = { "Idempotency-Key": `cut-${recipients}` };
    proxy.cutNext({ text: "COMMIT", transactionWith: "start_verification", when: "after", refuseAfterwards: true });
    const before = await rows("verification");
    const lost = await start(headers);
    expect([lost.status, lost.body.error.code]).toEqual([504, "outcome_unknown"]);
    expect(lost.body.error.message).toContain("same Idempotency-Key");
    proxy.accept();
    const repeated = await start(headers, other);
    expect([repeated.status, repeated.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect((await rows("verification")).filter((id) => !before.includes(id))).toEqual([repeated.body.verification_id]);
  });
});

test("a call whose COMMIT never arrived is answered 503 and has no effect", async () => {
  const before = await rows("api_key");
  proxy.cutNext({ text: "COMMIT", transactionWith: "key that is lost", when: "before" });
  const { status, body } = await server.rest("POST", "/api-keys", { session, body: { name: "key that is lost" } });
  expect([status, body.error.code]).toEqual([503, "unavailable"]);
  expect(await rows("api_key")).toEqual(before);
});

test("calls that wait too long for a row are answered 503, and have no effect when the row is free", async () => {
  const email = "owner@example.com";
  const signUp = await server.rest("POST", "/auth/sign-up", { body: { email, password, name: "Acme" } });
  const account = { workspaceId: signUp.body.workspace_id, refreshToken: signUp.body.refresh_token };
  const minted = await server.rest("POST", "/api-keys", {
    session: signUp.body.access_token,
    body: { name: "held", mode: "test" },
  });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    server.rest("POST", path, { key: minted.body.key, headers, body });
  const started = await post("/verify/start", { channel: "email", recipient });
  const verification_id = started.body.verification_id;
  await post("/verify/check", { verification_id, code: "1" });

  const state = async () => {
    const tables = ["verification", "outbox", "session", "throttle"].map(
      (table) => `SELECT '${table}' AS name, to_jsonb(t) AS row FROM ${table} AS t WHERE workspace_id = ANY ($1)`,
    );
    const { rows: found } = await direct.query(
      `SELECT * FROM (${tables.join(" UNION ALL ")}) AS rows WHERE row ->> 'status' IS DISTINCT FROM 'pending'
         OR name = 'verification' ORDER BY name, row::text`,
      [[account.workspaceId]],
    );
    return found;
  };
  await until("the message is delivered", 30_000, async () => {
    const { rowCount } = await direct.query("SELECT FROM outbox WHERE status = 'pending' AND workspace_id = $1", [
      account.workspaceId,
    ]);
    return rowCount === 0;
  });
  const before = await state();
  await direct.query("BEGIN");
  for (const table of ["throttle", "verification", "session", "account"]) {
    await direct.query(`SELECT FROM ${table} WHERE workspace_id = $1 FOR UPDATE`, [account.workspaceId]);
  }
  const answers = await Promise.all([
    post("/verify/start", { channel: "email", recipient }),
    post("/verify/start", { channel: "email", recipient }, { "Idempotency-Key": "held" }),
    post("/verify/check", { verification_id, code: "2" }),
    post(`/verify/${verification_id}/resend`, {}),
    post(`/verify/${verification_id}/cancel`, {}),
    post("/verifications/erase", { recipient }),
    server.rest("POST", "/auth/refresh", { body: { refresh_token: account.refreshToken } }),
    server.rest("POST", "/auth/sign-in", { body: { email, password } }),
  ]);
  expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual(
    answers.map(() => [503, "unavailable"]),
  );
  await direct.query("ROLLBACK");
  await nothingRuns();
  expect(await state()).toEqual(before);
  const refreshed = await server.rest("POST", "/auth/refresh", { body: { refresh_token: account.refreshToken } });
  expect(refreshed.status).toBe(200);
  expect((await post("/verify/start", { channel: "email", recipient }, { "Idempotency-Key": "held" })).status).toBe(
    201,
  );
});

test("a statement whose caller has already given up is rolled back", { timeout: 30_000 }, async () => {
  const late = direct.query("SELECT require_credential(NULL, (SELECT count(*) FROM pg_sleep(8.1)))");
  await expect(late).rejects.toMatchObject({ code: "BY004" });
});

const underWay: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["outside a transaction", {}],
  ["in a transaction", { "Idempotency-Key": "paused" }],
];

describe.each(underWay)("a start on a server that is paused while it waits for a row, %s", (_where, headers) => {
  test("has no effect once its key is revoked", { timeout: 60_000 }, async () => {
    const minted = await other.rest("POST", "/api-keys", { session, body: { name: "paused" } });
    const held = () =>
      server.rest("POST", "/verify/start", { key: minted.body.key, headers, body: { channel: "email", recipient } });
    expect((await start()).status).toBe(201);
    await until("the mail is there", 30_000, () => mails().length > 0);
    const before = await rows("verification");
    await direct.query("BEGIN");
    await direct.query("SELECT FROM throttle WHERE workspace_id = $1 FOR UPDATE", [workspaceId]);
    const answer = held();
    await until("it waits", 30_000, async () => {
      const { rowCount } = await direct.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rowCount === 1;
    });
    server.freeze();
    // Its statement goes on without it: in a transaction it holds the credential, and no COMMIT follows.
    await direct.query("ROLLBACK");
    const revoked = await other.rest("DELETE", `/api-keys/${minted.body.id}`, { session });
    expect(revoked.status).toBe(200);
    const atTheAnswer = await rows("verification");
    server.thaw();
    await answer;
    await nothingRuns();
    expect(await rows("verification")).toEqual(atTheAnswer);
    if (headers["Idempotency-Key"] !== undefined) {
      expect(atTheAnswer).toEqual(before);
    }
  });
});
