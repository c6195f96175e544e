import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { isRunning, type Postmaster, readPostmaster, STOP_PATIENCE_MS, stopPostmaster } from "./postmaster.ts";

/** "byond" in ASCII. The owner of a cluster holds this advisory lock, in the database "postgres", until it ends. */
const OWNER_LOCK = 0x62796f6e64;

/**
 * How long a running PostgreSQL must be without an owner before it counts as abandoned. Its owner may be about to take the lock
 * (milliseconds), or has just died, in which case its supervisor stops PostgreSQL (less than a second).
 */
const UNCLAIMED_MS = 2_000;

/** How long a starting or stopping PostgreSQL may take until it accepts connections or has ended. */
const SETTLE_MS = 60_000;

const CONNECT_MS = 5_000;
const RECONNECT_MS = 50;
const POLL_MS = 50;

/**
 * Connects as the superuser, by default to the maintenance database; the client has an error listener. Names are looked up in
 * `pg_catalog`, whatever the settings of the database say. Rejects as `pg` does.
 */
export type ConnectAsOwner = (port: number, database?: string) => Promise<Client>;

export function ownerConnector(user: string, password: string): ConnectAsOwner {
  return async (port, database = "postgres") => {
    const client = new Client({
      host: "127.0.0.1",
      port,
      user,
      password,
      database,
      ssl: false,
      application_name: "byond-owner",
      // Takes precedence over `ALTER DATABASE … SET`, which the owner of the database may run.
      options: "-c search_path=pg_catalog,pg_temp",
      connectionTimeoutMillis: CONNECT_MS,
    });
    // A lost connection shows as "end"; an error without a listener would end the process.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
}

/**
 * Makes sure that no PostgreSQL runs on the cluster. Waits for one that is stopping. Stops an abandoned one, whose server and
 * supervisor were both killed, so that the next one has the current settings and ends with this process.
 *
 * Returns the process id in a stale `postmaster.pid`; another process may have it now.
 *
 * @throws EmbeddedPostgresError if another server owns it.
 */
export async function settleRunningPostgres(
  clusterDir: string,
  dataDir: string,
  connect: ConnectAsOwner,
): Promise<number | undefined> {
  const deadline = Date.now() + SETTLE_MS;
  let state: PostgresState = "silent";
  let since = Date.now();
  while (Date.now() < deadline) {
    const postmaster = await readPostmaster(clusterDir);
    if (postmaster === undefined) return undefined;
    if (!(await isRunning(postmaster, clusterDir))) return postmaster.processId;

    const present = await observe(postmaster, connect);
    if (present === "owned") throw alreadyRunning(dataDir);
    if (present !== state) since = Date.now();
    state = present;
    const patienceMs = state === "unowned" ? UNCLAIMED_MS : state === "stopping" ? STOP_PATIENCE_MS : SETTLE_MS;
    if (Date.now() - since > patienceMs) {
      await stopPostmaster(postmaster, clusterDir, state === "stopping" ? 0 : STOP_PATIENCE_MS);
    }
    await wait(POLL_MS);
  }
  throw new EmbeddedPostgresError(
    `A PostgreSQL on ${clusterDir} neither responds nor stops. See ${dataDir}/postgres.log, and stop it yourself`,
  );
}

export interface Ownership {
  release(): Promise<void>;
}

/**
 * Takes the owner's lock and keeps it until `release`. When one of PostgreSQL's processes crashes, it drops all connections, and the
 * lock with them; so the lock is taken again whenever its connection is lost.
 *
 * @throws EmbeddedPostgresError if another server has it.
 */
export async function takeOwnership(port: number, dataDir: string, connect: ConnectAsOwner): Promise<Ownership> {
  let released = false;
  let holder = await lock(port, connect);
  if (holder === undefined) throw alreadyRunning(dataDir);

  const keep = async () => {
    while (!released) {
      await wait(RECONNECT_MS);
      const next = released ? undefined : await lock(port, connect).catch(() => undefined);
      if (next === undefined) continue;
      if (released) return next.end();
      holder = next;
      return watch(next);
    }
  };
  const watch = (client: Client) => {
    client.once("end", () => void keep());
  };
  watch(holder);

  return {
    async release() {
      released = true;
      await holder?.end();
    },
  };
}

function alreadyRunning(dataDir: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `another Byond server is already running on ${dataDir}. Stop it, give this one a DATA_DIR of its own, ` +
      "or let both share a PostgreSQL with DATABASE_URL",
  );
}

/** A connection that holds the lock; undefined if another one does. */
async function lock(port: number, connect: ConnectAsOwner): Promise<Client | undefined> {
  const client = await connect(port);
  let locked = false;
  try {
    const { rows } = await client.query(`SELECT pg_try_advisory_lock(${OWNER_LOCK}) AS locked`);
    locked = rows[0].locked === true;
  } finally {
    if (!locked) await client.end();
  }
  return locked ? client : undefined;
}

type PostgresState = "owned" | "unowned" | "stopping" | "silent";

/** Reads the state of the lock without taking it, which could make its owner fail to. */
async function observe(postmaster: Postmaster, connect: ConnectAsOwner): Promise<PostgresState> {
  if (postmaster.port === undefined) return "silent";
  try {
    const client = await connect(postmaster.port);
    try {
      const { rows } = await client.query(
        `SELECT EXISTS (
           SELECT FROM pg_locks
           WHERE locktype = 'advisory' AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = ${OWNER_LOCK}
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         ) AS owned`,
      );
      return rows[0].owned === true ? "owned" : "unowned";
    } finally {
      await client.end();
    }
  } catch (error) {
    return error instanceof Error && error.message.includes("shutting down") ? "stopping" : "silent";
  }
}
