import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { TestTime } from "../support/time.ts";
import { type Arrival, FaultyReceiver, type Reaction, receiverAuthority } from "./faulty-receiver.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";
import { StreamReader } from "./stream-reader.ts";
import { expectedTypes, listEvents, typesByVerification } from "./verification-events.ts";

const serverCount = 3;
const verificationCount = 300;
const callsAtOnce = 4;
const killCount = 4;
const restartCount = 3;
/** Each of them keeps one of the four places that a server has for an endpoint, for fifteen seconds. */
const stallCount = 6;

/** One request in twenty gets no answer, until there are enough of those, and three get the answer 500. */
function unreliable(): () => Reaction {
  let stalls = 0;
  return () => {
    const random = Math.random();
    if (random < 0.05 && stalls < stallCount) {
      stalls += 1;
      return "stalls";
    }
    return random < 0.2 ? "fails" : "accepts";
  };
}

/** Servers that may reach this machine, and trust the receivers. */
async function startServers(resources: AsyncDisposableStack) {
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const folder = await mkdtemp(join(tmpdir(), "byond-webhooks-"));
  resources.defer(() => rm(folder, { recursive: true }));
  const authorityPath = join(folder, "authority.pem");
  await writeFile(authorityPath, receiverAuthority);
  const environment = { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8", NODE_EXTRA_CA_CERTS: authorityPath };
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  resources.defer(() => client.end());
  const time = new TestTime(database.url);
  resources.defer(() => time.close());
  const servers = resources.use(await KillableServers.start(serverCount, { databaseUrl: database.url, environment }));
  return { servers, client, time };
}

test("every event arrives signed and with the same bytes each time, is in the list once, and in each stream once, while servers are killed and the receiver fails", {
  timeout: 300_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const { servers, client, time } = await startServers(resources);
  const key = await servers.any().mintKey({ mode: "test", scopes: ["*"] });

  const react = unreliable();
  let isOver = false;
  const secrets = new Map<string, string>();
  const open = async (name: string, react: () => Reaction) => {
    const verify = (body: string, headers: object) =>
      new Webhook(secrets.get(name) ?? "").verify(body, headers as Record<string, string>);
    const receiver = resources.use(await FaultyReceiver.start({ react, verify }));
    const { status, body } = await servers.any().rest("POST", "/webhooks", { key, body: { url: receiver.url } });
    expect(status).toBe(201);
    secrets.set(name, body.secret);
    return receiver;
  };
  await until("the key's event is in the list", 10_000, async () => (await listEvents(servers, key)).length === 1);
  const failing = await open("failing", () => (isOver ? "accepts" : react()));
  const healthy = await open("healthy", () => "accepts");
  const readers = Array.from({ length: 3 }, () => new StreamReader({ servers, key, leavesWithin: 120 }));

  const call = (path: string, body: object) =>
    servers
      .any()
      .rest("POST", path, { key, body })
      .catch(() => undefined);
  let started = 0;
  let tried = 0;
  const killing = servers.killAtRandom(killCount, verificationCount, () => started);
  const restarting = (async () => {
    for (let count = 1; count <= restartCount; count += 1) {
      const point = (verificationCount * count) / (restartCount + 1);
      await until("the load goes on", 60_000, () => started >= point);
      await failing.restart(1_000, pause);
    }
  })();
  await inParallel(callsAtOnce, async () => {
    while (started < verificationCount) {
      tried += 1;
      const recipient = `user-${tried}@example.com`;
      const id = (await call("/verify/start", { channel: "email", recipient }))?.body.verification_id;
      if (id !== undefined) {
        started += 1;
        const isApproved = Math.random() < 0.7;
        await (isApproved
          ? call("/verify/check", { verification_id: id, code: "000000" })
          : call(`/verify/${id}/cancel`, {}));
      }
    }
  });
  await Promise.all([killing, restarting]);

  // What calls without an answer left behind must not expire when time is moved.
  const { rows: pending } = await client.query("SELECT id FROM verification WHERE status = 'pending'");
  for (const { id } of pending) {
    await call(`/verify/${id}/cancel`, {});
  }
  const count = async (text: string) => Number((await client.query(`SELECT count(*) FROM ${text}`)).rows[0].count);
  await until("codes are sent, and every event has a position", 60_000, async () => {
    return (
      (await count("outbox WHERE status = 'pending' AND kind <> 'webhook'")) + (await count("event_pending")) === 0
    );
  });
  await until("nothing is due that the healthy receiver waits for", 60_000, async () => {
    return (await count("event")) - 1 === healthy.arrivals.size;
  });
  const arrivedByItself = failing.arrivals.size;
  isOver = true;
  await skipPauses(client, time);

  const listed = await listEvents(servers, key);
  const ids = listed.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(typesByVerification(listed)).toEqual(await expectedTypes(client));
  await until("the readers have read everything", 20_000, () => readers.every(({ seen }) => seen.length >= ids.length));
  for (const reader of readers) {
    await reader.stop();
    expect(reader.seen).toEqual(ids);
    expect(reader.connections).toBeGreaterThan(5);
  }

  const { rows: times } = await client.query("SELECT id, created_at FROM event");
  const createdAtMs = new Map<string, number>(times.map(({ id, created_at }) => [id, created_at.getTime()]));
  // The key's own event was written before there was a webhook.
  const expected = ids.slice(1).sort();
  for (const receiver of [failing, healthy]) {
    expect(receiver.problems).toEqual([]);
    expect([...receiver.arrivals.keys()].sort()).toEqual(expected);
    for (const arrivals of receiver.arrivals.values()) {
      expect(new Set(arrivals.map(({ body }) => body)).size).toBe(1);
      expect(arrivals.some(({ isAnswered }) => isAnswered)).toBe(true);
    }
  }
  expect(await count("webhook_delivery")).toBe(2 * expected.length);
  expect(await count("outbox WHERE kind = 'webhook' AND status <> 'sent'")).toBe(0);
  expect(servers.kills).toBe(killCount);
  expect(servers.unexpectedExits).toEqual([]);

  const { fails, stalls } = failing.reactions;
  expect(fails).toBeGreaterThan(0);
  console.log(
    [
      `webhooks: ${ids.length} events of ${started} verifications (${tried - started} starts without an answer)`,
      `${servers.kills} servers killed with -9`,
      `streams: ${readers.map(({ connections, lost }) => `${connections} connections, ${lost} lost with a server`).join("; ")}`,
      `failing receiver: ${failing.restarts} restarts, ${fails} answers 500, ${stalls} stalls, ${describe(failing, createdAtMs)}, ${failing.arrivals.size - arrivedByItself} of them after pauses that were skipped`,
      `healthy receiver: ${describe(healthy, createdAtMs)}`,
    ].join("\n"),
  );
});

/** Moves the database's time to the next attempt again and again, until nothing is left to send. */
async function skipPauses(client: pg.Client, time: TestTime): Promise<void> {
  await until("every delivery has succeeded", 60_000, async () => {
    const { rows } = await client.query(
      `SELECT count(*)::int AS pending, count(claimed_by)::int AS claimed,
         extract(epoch FROM min(available_at) - byond_now())::float8 AS seconds
       FROM outbox WHERE status = 'pending'`,
    );
    const [{ pending, claimed, seconds }] = rows;
    if (pending > 0 && claimed === 0 && seconds > 5) {
      await time.advance({ seconds });
    }
    return pending === 0;
  });
}

function describe({ arrivals }: FaultyReceiver, createdAtMs: ReadonlyMap<string, number>): string {
  const all = [...arrivals.values()].flat();
  const again = [...arrivals.values()].flatMap((of) => of.slice(1 + of.findIndex(({ isAnswered }) => isAnswered)));
  const delays = [...arrivals]
    .map(([id, [first]]) => delayMs(first, createdAtMs.get(id)))
    .sort((one, other) => one - other);
  const [median = Number.NaN, longest = Number.NaN] = [delays[delays.length >> 1], delays.at(-1)];
  return [
    `${all.length} requests`,
    `${again.length} after one that was accepted`,
    `first arrivals after ${(median / 1_000).toFixed(1)} s in the median and ${(longest / 1_000).toFixed(1)} s at most`,
  ].join(", ");
}

function delayMs(first: Arrival | undefined, createdAtMs: number | undefined): number {
  return (first?.atMs ?? Number.NaN) - (createdAtMs ?? Number.NaN);
}
