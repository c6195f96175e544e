import pg from "pg";
import { expect, test } from "vitest";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";

const serverCount = 3;
const verificationCount = 300;
const callsAtOnce = 5;
const killCount = 4;

/** Ranges and countries, in two of which nobody enters codes. */
const ranges = ["+491512", "+491605", "+65912", "+65913", "+9929351"];
/** That follow. Default: five. */
const digits: Readonly<Record<string, number>> = { "+491512": 7, "+491605": 6 };
const isEntered = (recipient: string) => !/^\+(65912|992)/.test(recipient);
/** Ways of a code, which starts take in turns. Every call fails: the code of one is not sent at all. */
const ways = [{ channel: "sms" }, { channel: "voice" }, { channel: "voice", fallback: [{ channel: "sms" }] }] as const;

test("starts, failures and approvals of each range are counted exactly once, and a range is blocked once, while servers are killed at random", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const sms = await HttpFake.open();
  resources.defer(() => sms.close());
  const voice = await HttpFake.open();
  resources.defer(() => voice.close());
  voice.answer = { status: 400 };
  const environment = { SMS_URL: sms.url, VOICE_URL: voice.url, PROVIDER_SECRET: "x".repeat(32) };
  const servers = resources.use(await KillableServers.start(serverCount, { databaseUrl: database.url, environment }));
  const key = await servers.any().mintKey();
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => undefined);
  await client.connect();
  resources.defer(() => client.end());

  let tried = 0;
  let approved = 0;
  let blocked = 0;
  const call = (path: string, body: object) =>
    servers
      .any()
      .rest("POST", path, { key, body })
      .catch(() => undefined);
  const askAndEnter = async () => {
    tried += 1;
    const prefix = ranges[tried % ranges.length] ?? "";
    const recipient = prefix + String(tried).padStart(digits[prefix] ?? 5, "0");
    const way = ways[tried % ways.length] ?? ways[0];
    const started = await call("/verify/start", { ...way, recipient });
    blocked += started?.status === 403 ? 1 : 0;
    const isSent = way.channel === "sms" || "fallback" in way;
    if (started?.status !== 201 || !isSent || !isEntered(recipient)) {
      return;
    }
    let code: string | undefined;
    await until("the message is sent", 30_000, () => {
      const sent = sms.requests.find(({ body }) => body.includes(recipient));
      code = sent && JSON.parse(sent.body).code;
      return code !== undefined;
    });
    const checked = await call("/verify/check", { verification_id: started.body.verification_id, code });
    approved += checked?.body.status === "approved" ? 1 : 0;
  };
  const killing = servers.killAtRandom(killCount, verificationCount, () => approved);
  await inParallel(callsAtOnce, async () => {
    while (approved < verificationCount) {
      await askAndEnter();
    }
  });
  await killing;

  const count = async (text: string) => Number((await client.query(text)).rows[0].count);
  await until(
    "no message waits",
    60_000,
    async () => (await count("SELECT count(*) FROM outbox WHERE status = 'pending'")) === 0,
  );
  await until(
    "every event has a position",
    10_000,
    async () => (await count("SELECT count(*) FROM event_pending")) === 0,
  );
  const countedBy = `
    SELECT number_range, at, sum(started)::int AS started, sum(approved)::int AS approved, sum(failed)::int AS failed
    FROM guard_count WHERE number_range = ANY ($1) GROUP BY number_range, at ORDER BY number_range, at`;
  const happenedBy = (range: string) => `
    SELECT ${range} AS number_range, date_bin('30 seconds', created_at, 'epoch') AS at, count(*)::int AS started,
      count(*) FILTER (WHERE status = 'approved')::int AS approved,
      count(*) FILTER (WHERE status <> 'approved' AND NOT EXISTS (
        SELECT FROM outbox
        WHERE subject_id = verification.id AND kind <> 'verification_fallback' AND outbox.status <> 'failed'
      ))::int AS failed
    FROM verification WHERE number_range IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`;
  const rows = async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows;
  expect(await rows(countedBy, [ranges.map((prefix) => `${prefix}x`)])).toEqual(await rows(happenedBy("number_range")));
  expect(await rows(countedBy, [["+49x", "+65x", "+992x"]])).toEqual(
    await rows(happenedBy("guard_country_range(number_range)")),
  );
  expect(await rows(countedBy, [["+x"]])).toEqual(await rows(happenedBy("'+x'")));
  const failed = await count("SELECT sum(failed) AS count FROM guard_count WHERE number_range = '+x'");
  expect(failed).toBeGreaterThan(0);
  expect(servers.unexpectedExits).toEqual([]);

  // The clock moves on, and all servers judge at the same moment.
  await client.query(`
    CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT clock_timestamp() + interval '4 minutes' $$`);
  await inParallel(12, () => askAndEnter());
  const started = "SELECT count(*) FROM event WHERE type = 'guard_block.started'";
  await until("the ranges are blocked", 20_000, async () => (await count(started)) >= 2);
  await inParallel(15, () => askAndEnter());
  expect(blocked).toBeGreaterThan(0);
  expect(await rows("SELECT number_range, level FROM guard_block ORDER BY number_range")).toEqual(
    expect.arrayContaining([
      { number_range: "+65912x", level: 1 },
      { number_range: "+9929351x", level: 1 },
    ]),
  );
  const events = await rows("SELECT snapshot ->> 'numberRange' AS range FROM event WHERE type = 'guard_block.started'");
  expect(new Set(events.map(({ range }) => range)).size).toBe(events.length);
  console.log(
    `${tried} starts, ${approved} approved, ${failed} failed, ${servers.kills} servers killed: each counted once`,
  );
});
