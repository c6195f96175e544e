import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase, type RestAnswer } from "../support/app.ts";
import { ServerProcess, type ServerProcessOptions } from "../support/processes.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";

/** Longer than a call that carries an idempotency key may take before another one may take over. */
const claimSeconds = 61;

const resources = new AsyncDisposableStack();
let options: ServerProcessOptions;
let sink: SmtpSink;
let client: pg.Client;

beforeAll(async () => {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  sink = await SmtpSink.open();
  resources.defer(() => sink.close());
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  resources.defer(() => client.end());
  const environment = { SMTP_URL: sink.url, MAIL_FROM: "Acme <no-reply@acme.example>" };
  options = { databaseUrl: database.url, environment };
});
afterAll(() => resources.disposeAsync());

function start(server: ServerProcess, key: string, name: string): Promise<RestAnswer> {
  return server.rest("POST", "/verify/start", {
    key,
    headers: { "Idempotency-Key": name },
    body: { channel: "email", recipient: `${name}@example.com` },
  });
}

let secondsAhead = 0;

/** Lets the claims run out that nobody answers for any more. */
async function advance(seconds: number): Promise<void> {
  secondsAhead += seconds;
  await client.query(`
    CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT clock_timestamp() + interval '${secondsAhead} seconds' $$`);
}

async function countVerifications(): Promise<number> {
  const { rows } = await client.query("SELECT count(*)::integer AS count FROM verification");
  return rows[0].count;
}

test("if a server is killed between claim and answer, the same call is first refused, then carried out once, then replayed", async () => {
  await using doomed = await ServerProcess.start(options);
  await using server = await doomed.startAnother();
  const key = await doomed.mintKey();
  const before = await countVerifications();
  // The first call with the key, so that the next one needs nothing but what it is about.
  expect((await start(doomed, key, "warm-up")).status).toBe(201);

  // The claim is committed; what the call is about waits for a lock.
  await client.query("BEGIN");
  await client.query("LOCK TABLE throttle IN ACCESS EXCLUSIVE MODE");
  const unanswered = start(doomed, key, "ada").catch(() => "no answer");
  await until("the call waits", 30_000, async () => {
    const { rows } = await client.query("SELECT FROM pg_locks WHERE relation = 'throttle'::regclass AND NOT granted");
    return rows.length > 0;
  });
  await doomed.kill();
  expect(await unanswered).toBe("no answer");
  await client.query("COMMIT");

  const refused = await start(server, key, "ada");
  expect(refused).toMatchObject({ status: 409, body: { error: { code: "idempotency_in_progress" } } });
  await advance(claimSeconds);
  const carriedOut = await start(server, key, "ada");
  expect(carriedOut).toMatchObject({ status: 201, body: { status: "pending" } });
  expect(carriedOut.headers.get("idempotent-replayed")).toBeNull();
  const replayed = await start(server, key, "ada");
  expect(replayed).toMatchObject({ status: 201, body: carriedOut.body });
  expect(replayed.headers.get("idempotent-replayed")).toBe("true");
  await until("the mail arrives", 30_000, () => sink.mails.some(({ to }) => to.includes("ada@example.com")));
  expect(await countVerifications()).toBe(before + 2);
});

test("calls repeated until answered start one verification each, whenever servers are killed", async () => {
  const callCount = 400;
  const killCount = 5;
  await using servers = await KillableServers.start(3, options);
  const key = await servers.any().mintKey();
  const before = await countVerifications();
  const answers = new Map<string, RestAnswer>();
  const inProgress: string[] = [];
  let begun = 0;
  let unanswered = 0;
  let replays = 0;

  /** Repeats a call, at any server, until it is answered. */
  const insist = async (name: string): Promise<void> => {
    for (;;) {
      const answer = await start(servers.any(), key, name).catch(() => undefined);
      if (answer?.status === 409) {
        inProgress.push(name);
        return;
      }
      if (answer !== undefined) {
        expect(answer).toMatchObject({ status: 201, body: { status: "pending" } });
        replays += answer.headers.has("idempotent-replayed") ? 1 : 0;
        answers.set(name, answer);
        return;
      }
      unanswered += 1;
    }
  };
  const killing = servers.killAtRandom(killCount, callCount, () => begun);
  await inParallel(8, async () => {
    while (begun < callCount) {
      begun += 1;
      await insist(`user-${begun}`);
    }
  });
  await killing;
  const abandoned = inProgress.splice(0);
  await advance(claimSeconds);
  await Promise.all(abandoned.map(insist));

  console.log(
    `idempotency: ${callCount} calls · ${servers.kills} servers killed with -9 · ${unanswered} calls without an answer · ` +
      `${replays} replayed · ${abandoned.length} carried out when their claim had run out`,
  );
  expect(inProgress).toEqual([]);
  expect(answers.size).toBe(callCount);
  expect(await countVerifications()).toBe(before + callCount);
  expect(new Set([...answers.values()].map(({ body }) => body.verification_id)).size).toBe(callCount);
  expect(servers.unexpectedExits).toEqual([]);
});
