import { setTimeout as wait } from "node:timers/promises";
import type pg from "pg";
import { mintKey, startByond } from "../byond.ts";
import type { Postgres } from "../databases.ts";
import { MessageProvider } from "../guard/message-provider.ts";
import type { Server } from "../processes.ts";
import { type LoggedStatement, PostgresMeter, type Use } from "./postgres-meter.ts";
import { isSettled, untilNone, VerificationLoad } from "./verification-load.ts";

/** Verifications that are measured. A fifth of them is entered wrongly once, a fifth is never entered. */
const wholeCount = 5_000;
const callsOnlyCount = 2_000;
const warmUpCount = 1_000;
/** With a log, out of which each statement's CPU time is read. */
const loggedCount = 1_000;
const wrongShare = 0.2;
const approvedShare = 0.8;
const idleSeconds = 60;

const startPhase = "start, message, events";
const wrongPhase = "check, wrong code";
const rightPhase = "check, right code";
/** The others follow from the clock. */
export const callPhases: readonly string[] = [startPhase, wrongPhase, rightPhase];

/** What is on besides what is on by itself. */
export interface Variant {
  readonly name: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Before the load. */
  readonly prepare?: (client: pg.Client, byond: Server, key: string) => Promise<unknown>;
  /** Whether only the calls are measured, and not what happens to their rows afterwards. */
  readonly callsOnly?: boolean;
}

export interface Phase {
  readonly name: string;
  readonly calls: number;
  readonly use: Use;
  /** CPU time of the server, in ms. */
  readonly serverMs: number;
}

export interface TableUse {
  readonly name: string;
  readonly tableBytes: number;
  readonly indexBytes: number;
  readonly inserted: number;
  readonly updated: number;
  readonly updatedInPlace: number;
  readonly deleted: number;
}

export interface VerificationCost {
  readonly variant: string;
  readonly count: number;
  readonly phases: readonly Phase[];
  /** Of a server without calls. Undefined where only calls were measured. */
  readonly idle: Phase | undefined;
  readonly tables: readonly TableUse[];
  readonly logged: ReadonlyMap<string, LoggedStatement>;
}

/** Has a server go through whole verifications, from the start to the end of their retention, and measures each step. */
export async function measureVerifications(
  postgres: Postgres,
  variant: Variant,
  note: (text: string) => void,
): Promise<VerificationCost> {
  const count = variant.callsOnly ? callsOnlyCount : wholeCount;
  const allCount = warmUpCount + loggedCount + count;
  const databaseUrl = await postgres.createDatabase();
  await using provider = await MessageProvider.open();
  await using byond = await startByond(databaseUrl, { ...provider.environment, ...variant.environment });
  const key = await mintKey(byond.url, databaseUrl, "live", ["*"]);
  return await postgres.asAdministrator(async (client) => {
    const meter = new PostgresMeter(postgres, client);
    await meter.prepare();
    await variant.prepare?.(client, byond, key);
    const load = new VerificationLoad(byond, key, provider);
    const phases: Phase[] = [];
    const measure = async (name: string, calls: number, work: () => Promise<unknown>) => {
      const before = byond.cpuMs;
      const use = await meter.measure(async () => {
        await work();
        await isSettled(client);
      });
      const phase = { name, calls, use, serverMs: byond.cpuMs - before };
      note(`${variant.name}: ${name} took ${use.seconds.toFixed(0)} s`);
      return phase;
    };
    const measurePhase = async (...phase: Parameters<typeof measure>) => phases.push(await measure(...phase));

    await load.check(await load.start(warmUpCount), true);
    await isSettled(client);
    await meter.logStatements(true);
    await load.check(await load.start(loggedCount), true);
    await isSettled(client);
    await meter.logStatements(false);

    const sizes = await readTables(client);
    let started: Awaited<ReturnType<typeof load.start>> = [];
    await measurePhase(startPhase, count, async () => {
      started = await load.start(count);
    });
    const wrong = started.slice(0, count * wrongShare);
    await measurePhase(wrongPhase, wrong.length, () => load.check(wrong, false));
    const right = started.slice(0, count * approvedShare);
    await measurePhase(rightPhase, right.length, () => load.check(right, true));
    if (variant.callsOnly) {
      const tables = difference(sizes, await readTables(client));
      return { variant: variant.name, count, phases, idle: undefined, tables, logged: meter.loggedStatements() };
    }
    const idle = await measure("idle", idleSeconds, () => wait(idleSeconds * 1_000));

    await meter.logStatements(true);
    await moveClock(client, "20 minutes");
    await measurePhase("expiry", count - right.length, () => untilNone(client, overdue));
    await meter.logStatements(false);
    const tables = difference(sizes, await readTables(client));
    await measurePhase("vacuum after the calls", count, () => client.query("VACUUM"));
    await meter.logStatements(true);
    await moveClock(client, "401 days");
    await measurePhase("sweeps at the end of retention", allCount, () => untilNone(client, retained));
    await meter.logStatements(false);
    await measurePhase("vacuum after the sweeps", allCount, () => client.query("VACUUM"));
    return { variant: variant.name, count, phases, idle, tables, logged: meter.loggedStatements() };
  }, databaseUrl);
}

const overdue = "SELECT FROM verification WHERE status = 'pending' AND expires_at <= byond_now() LIMIT 1";
const retained = `
  (SELECT FROM verification LIMIT 1) UNION ALL (SELECT FROM event LIMIT 1) UNION ALL (SELECT FROM verification_slot WHERE slot < 'infinity' LIMIT 1)
  UNION ALL (SELECT FROM webhook_delivery LIMIT 1)`;

async function moveClock(client: pg.Client, by: string): Promise<void> {
  await client.query(`
    CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT clock_timestamp() + interval '${by}' $$`);
}

async function readTables(client: pg.Client): Promise<readonly TableUse[]> {
  // Connections report what they did when they have been idle for ten seconds.
  await wait(11_000);
  const { rows } = await client.query(
    `SELECT relname AS name, pg_table_size(relid) AS table_bytes, pg_indexes_size(relid) AS index_bytes,
      n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_hot_upd AS in_place, n_tup_del AS deleted
      FROM pg_stat_user_tables`,
  );
  return rows.map((row) => ({
    name: row.name,
    tableBytes: Number(row.table_bytes),
    indexBytes: Number(row.index_bytes),
    inserted: Number(row.inserted),
    updated: Number(row.updated),
    updatedInPlace: Number(row.in_place),
    deleted: Number(row.deleted),
  }));
}

function difference(before: readonly TableUse[], after: readonly TableUse[]): readonly TableUse[] {
  const known = new Map(before.map((table) => [table.name, table]));
  return after.map((table) => {
    const earlier = known.get(table.name);
    const since = (read: (of: TableUse) => number) => read(table) - (earlier === undefined ? 0 : read(earlier));
    return {
      name: table.name,
      tableBytes: since(({ tableBytes }) => tableBytes),
      indexBytes: since(({ indexBytes }) => indexBytes),
      inserted: since(({ inserted }) => inserted),
      updated: since(({ updated }) => updated),
      updatedInPlace: since(({ updatedInPlace }) => updatedInPlace),
      deleted: since(({ deleted }) => deleted),
    };
  });
}
