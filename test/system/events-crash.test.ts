import pg from "pg";
import { expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";
import { expectedTypes, listEvents, typesByVerification } from "./verification-events.ts";

const serverCount = 3;
const verificationCount = 400;
const callsAtOnce = 5;
const killCount = 4;

async function openDatabase(resources: AsyncDisposableStack) {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => undefined);
  await client.connect();
  resources.defer(() => client.end());
  return { url: database.url, client };
}

const outcomes = ["approved", "expired", "locked", "canceled", "channel_unavailable"];

/** What reports say, by channel, country, provider and key. */
async function reportedBy(client: pg.Client, minutes: number) {
  const { rows } = await client.query(
    `SELECT channel, country, provider, key_id, ${["started", "sent", "delivered", "failed_messages", ...outcomes].map((count) => `coalesce(sum(${count}), 0)::int AS ${count}`).join(", ")},
       (${Array.from({ length: 14 }, (_, range) => `coalesce(sum(approved_range${range}), 0)`).join(" + ")})::int AS timed
     FROM verification_slot WHERE minutes = $1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    [minutes],
  );
  return rows;
}

/** The same from the verifications themselves, each with the provider of its first outcome. */
async function foundBy(client: pg.Client) {
  const { rows } = await client.query(
    `SELECT channel, coalesce(country, '') AS country, provider, key_id, count(*)::int AS started, count(*) FILTER (WHERE is_sent)::int AS sent,
       count(*) FILTER (WHERE is_sent)::int AS delivered, sum(failed)::int AS failed_messages,
       ${outcomes.map((status) => `count(*) FILTER (WHERE status = '${status}')::int AS ${status}`).join(", ")},
       count(*) FILTER (WHERE status = 'approved')::int AS timed
     FROM verification, LATERAL (
       SELECT bool_or(status = 'sent') AS is_sent, count(*) FILTER (WHERE status <> 'sent') AS failed
       FROM outbox WHERE subject_id = verification.id
     ) AS messages, LATERAL (
       SELECT coalesce((array_agg(snapshot ->> 'provider' ORDER BY position))[1], '') AS provider
       FROM event WHERE subject_id = verification.id AND type <> 'verification.started'
     ) AS events
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
  );
  return rows;
}

test("every event is in the list exactly once, and no reader misses one, while servers are killed at random", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const { url: databaseUrl, client } = await openDatabase(resources);
  const servers = resources.use(await KillableServers.start(serverCount, { databaseUrl }));
  const key = await servers.any().mintKey({ mode: "test" });

  const read: string[] = [];
  let position = 0;
  let isReading = true;
  const reader = (async () => {
    while (isReading) {
      const { rows } = await client.query(
        "SELECT position, id FROM event WHERE position > $1 ORDER BY position LIMIT 50",
        [position],
      );
      read.push(...rows.map(({ id }) => id));
      position = rows.at(-1)?.position ?? position;
    }
  })();

  let approved = 0;
  let tried = 0;
  const killing = servers.killAtRandom(killCount, verificationCount, () => approved);
  const call = (path: string, body: object) =>
    servers
      .any()
      .rest("POST", path, { key, body })
      .catch(() => undefined);
  await inParallel(callsAtOnce, async () => {
    while (approved < verificationCount) {
      tried += 1;
      const started = await call("/verify/start", { channel: "email", recipient: `user-${tried}@example.com` });
      const id = started?.body.verification_id;
      const checked =
        id === undefined ? undefined : await call("/verify/check", { verification_id: id, code: "000000" });
      approved += checked?.body.status === "approved" ? 1 : 0;
    }
  });
  await killing;
  const count = async (text: string) => Number((await client.query(text)).rows[0].count);
  await until(
    "every message is sent",
    60_000,
    async () => (await count("SELECT count(*) FROM outbox WHERE status = 'pending'")) === 0,
  );
  await until(
    "every event has a position",
    10_000,
    async () => (await count("SELECT count(*) FROM event_pending")) === 0,
  );
  const total = await count("SELECT count(*) FROM event");
  await until("the reader has read everything", 10_000, () => read.length >= total);
  isReading = false;
  await reader;

  const listed = await listEvents(servers, key);
  expect(read).toEqual(listed.map(({ id }) => id));
  const expected = await expectedTypes(client);
  expect(typesByVerification(listed)).toEqual(expected);
  // Reports count each event once, in the transaction that gave it its position.
  const [counted, happened] = await Promise.all(
    [
      `SELECT sum(started)::int AS started, sum(delivered)::int AS delivered, sum(approved)::int AS approved,
         sum(failed_messages)::int AS failed FROM verification_hour`,
      `SELECT count(*) FILTER (WHERE type = 'verification.started')::int AS started,
         count(DISTINCT subject_id) FILTER (WHERE type = 'verification.delivered')::int AS delivered,
         count(*) FILTER (WHERE type = 'verification.approved')::int AS approved,
         count(*) FILTER (WHERE type = 'verification.delivery_failed')::int AS failed FROM event`,
    ].map(async (text) => (await client.query(text)).rows),
  );
  expect(counted).toEqual(happened);
  const { rows: verifications } = await client.query(
    "SELECT count(*)::int AS started, count(*) FILTER (WHERE status = 'approved')::int AS approved FROM verification",
  );
  expect(counted).toEqual([expect.objectContaining(verifications[0])]);
  const found = await foundBy(client);
  expect(await reportedBy(client, 15)).toEqual(found);
  expect(await reportedBy(client, 360)).toEqual(found);
  expect(servers.unexpectedExits).toEqual([]);
  console.log(
    `${listed.length} events of ${expected.size} verifications, ${servers.kills} servers killed: each once, in the order in which they were read`,
  );
});

test("an event whose server was killed after the commit is read a second later, from another server", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const { url: databaseUrl, client } = await openDatabase(resources);
  const killed = resources.use(await ServerProcess.start({ databaseUrl }));
  const key = await killed.mintKey({ mode: "test" });
  await until(
    "the key's event has a position",
    10_000,
    async () => (await client.query("SELECT FROM event")).rowCount === 1,
  );
  // Nobody can give positions: the server's attempts wait, and end with their connections.
  await client.query("SELECT pg_advisory_lock(7269341953)");
  const { status, body } = await killed.rest("POST", "/verify/start", {
    key,
    body: { channel: "email", recipient: "ada@example.com" },
  });
  expect(status).toBe(201);
  await killed.kill();
  await client.query(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  await client.query("SELECT pg_advisory_unlock(7269341953)");
  const pending = await client.query("SELECT FROM event_pending WHERE subject_id = $1", [body.verification_id]);
  expect(pending.rowCount).toBeGreaterThan(0);
  const another = resources.use(await ServerProcess.start({ databaseUrl }));
  await until("the events are read", 10_000, async () => {
    const { body: list } = await another.rest("GET", `/events?subject=${body.verification_id}`, { key });
    return list.events.some(({ type }: { readonly type: string }) => type === "verification.started");
  });
  const { body: overview } = await another.rest("GET", "/reports/overview", { key });
  expect(overview.verifications.started).toBe(1);
});
