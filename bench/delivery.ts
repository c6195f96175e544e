import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "@byond/embedded-postgres";
import { SMTPServer } from "smtp-server";
import { createChannels } from "../src/capabilities/channels/channels.ts";
import { systemClock } from "../src/clock.ts";
import { createId } from "../src/crypto/ids.ts";
import { Database } from "../src/database/database.ts";
import { createLogger } from "../src/observe/log.ts";
import { type OutboxItem, outboxInsert } from "../src/outbox/outbox.ts";
import { DeliveryWorker } from "../src/outbox/worker.ts";
import { connectionTo } from "../test/support/database-address.ts";
import { standardSchema } from "../test/support/schema.ts";
import { querySql } from "../test/support/sql.ts";

/**
 * How soon a code leaves: from the moment that the commit is known to the first byte of its mail (MAIL FROM) at the mail
 * server. One message at a time, then a hundred at once; database and mail server on this machine.
 */
const warmUps = 50;
const singles = 500;
const burst = 100;

const serverId = createId("srv");
const logger = createLogger((line) => process.stderr.write(line));
const dataDir = await mkdtemp(join(tmpdir(), "byond-bench-"));
const postgres = await startEmbeddedPostgres({ dataDir, onUnexpectedExit: (reason) => console.error(reason) });
const database = await Database.open({ connection: await connectionTo(postgres.url), logger, ...standardSchema });

/** By recipient: when its mail began to arrive. */
const arrivals = new Map<string, (atMs: number) => void>();
const mailServer = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  logger: false,
  onMailFrom: (_address, session, callback) => {
    firstByteAt.set(session.id, performance.now());
    callback();
  },
  onRcptTo: (address, session, callback) => {
    arrivals.get(address.address)?.(firstByteAt.get(session.id) ?? Number.NaN);
    callback();
  },
  onData: (stream, _session, callback) => {
    stream.resume().on("end", () => callback());
  },
});
const firstByteAt = new Map<string, number>();
const listening = mailServer.listen(0, "127.0.0.1");
await new Promise((resolve) => listening.once("listening", resolve));
const address = listening.address();
const port = typeof address === "object" && address !== null ? address.port : 0;

const channels = createChannels({
  clock: systemClock,
  smtp: { url: `smtp://127.0.0.1:${port}?ignoreTLS=true`, from: "Bench <no-reply@bench.example>" },
});
const worker = new DeliveryWorker({
  database,
  clock: systemClock,
  logger,
  serverId,
  senders: { bench: { send: (item, signal) => channels.send(toMessage(item), { idempotencyKey: item.id, signal }) } },
  lanes: channels.lanes,
});
worker.start();

try {
  await inTurn(warmUps);
  report("one at a time", await inTurn(singles));
  report(`${burst} at once`, await Promise.all(Array.from({ length: burst }, deliver)));
} finally {
  await worker.stop(10_000);
  channels.close();
  await new Promise<void>((resolve) => mailServer.close(() => resolve()));
  await database.close();
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function inTurn(count: number): Promise<number[]> {
  const waits: number[] = [];
  for (let number = 0; number < count; number += 1) {
    waits.push(await deliver());
    await worker.idle();
  }
  return waits;
}

/** Writes a message, hands it over, and resolves with the milliseconds from the commit to its first byte. */
async function deliver(): Promise<number> {
  const item = await write();
  const committedAtMs = performance.now();
  const arrived = new Promise<number>((resolve) => arrivals.set(recipientOf(item), resolve));
  worker.dispatch(item);
  return (await arrived) - committedAtMs;
}

async function write(): Promise<OutboxItem> {
  const claimedAtMs = systemClock.monotonicMs();
  const insert = outboxInsert({
    from: "subject",
    workspaceId: "'ws_bench'",
    id: "$1",
    kind: "'bench'",
    lane: "'email'",
    subjectId: "'bench'",
    payloadSealed: "'sealed'",
    claimedBy: "$2",
    createdAt: "created_at",
    expiresAt: "created_at + interval '300 seconds'",
  });
  const text = `
    WITH subject AS (SELECT byond_now() AS created_at), queued AS (${insert}) SELECT created_at FROM subject`;
  const id = createId("dlv");
  const rows = await querySql<{ created_at: Date }>(database, { name: "bench_write", text }, [id, serverId]);
  const createdAt = rows[0]?.created_at ?? new Date();
  return {
    workspaceId: "ws_bench",
    id,
    kind: "bench",
    lane: "email",
    subjectId: "bench",
    payloadSealed: Buffer.from("sealed"),
    attempts: 0,
    claim: 1,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + 300_000),
    claimedAtMs,
  };
}

function recipientOf(item: OutboxItem): string {
  return `${item.id}@example.com`;
}

function toMessage(item: OutboxItem) {
  const { createdAt, expiresAt } = item;
  const recipient = recipientOf(item);
  return {
    workspaceId: "ws_bench",
    channel: "email",
    recipient,
    code: "493817",
    brand: "Bench",
    createdAt,
    expiresAt,
    mode: "live",
  } as const;
}

function report(name: string, waits: readonly number[]): void {
  const sorted = [...waits].sort((one, other) => one - other);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(1);
  console.log(`commit to first byte, ${name}: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, most ${at(1)} ms`);
}
