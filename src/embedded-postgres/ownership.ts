import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { isRunning, type Postmaster, readPostmaster, STOP_PATIENCE_MS, stopPostmaster } from "./postmaster.ts";

/** "byond" in ASCII: the advisory lock, in the database "postgres", that the owner of a cluster holds all its life. */
const OWNER_LOCK = 0x62796f6e64;

/**
 * How long a running PostgreSQL without an owner is watched before it is taken for abandoned. Its owner may be about to
 * take the lock (milliseconds), or has just died, so that PostgreSQL is being stopped (less than a second).
 */
const UNCLAIMED_MS = 2_000;

/** How long a PostgreSQL that starts or stops may take until it either answers or is gone. */
const SETTLE_MS = 60_000;

const CONNECT_MS = 5_000;
const RECONNECT_MS = 50;
const POLL_MS = 50;

/**
 * Opens a connection as a superuser, by default to the maintenance database; the client has an error listener. Names mean
 * what they mean to PostgreSQL, whatever the settings of the database or schemas in it say. Rejects as `pg` does.
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
      // What a connection asks for precedes `ALTER DATABASE … SET`, which the owner of the database may do.
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
 * Makes sure that no PostgreSQL runs on the cluster. One that is being stopped is waited for. One that nobody owns any
 * more, because its server and its supervisor were both killed, is stopped, so that the next one has the present
 * settings and a life tied to ours.
 *
 * Returns the process id that a stale `postmaster.pid` names, if a process that is not PostgreSQL has it now.
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
    `A PostgreSQL on ${clusterDir} neither answers nor ends. See ${dataDir}/postgres.log, and end it by hand`,
  );
}

export interface Ownership {
  release(): Promise<void>;
}

/**
 * Takes the owner's lock and keeps it: PostgreSQL drops all connections when one of its processes crashes, and the lock
 * with them, so it is taken again whenever its connection is lost, until `release`.
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

/** Looks at the lock without touching it, so as not to be in its owner's way. */
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
