import { createServer } from "node:net";
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { loadPostgresBinaries } from "./binaries.ts";
import {
  clusterDirectory,
  DATABASE_USER,
  ensureCluster,
  readClusterPassword,
  removeInterruptedClusters,
} from "./cluster.ts";
import { ensureDataFolder } from "./data-folder.ts";
import { EmbeddedPostgresError, orUseDatabaseUrl } from "./embedded-postgres-error.ts";
import { type ConnectAsOwner, ownerConnector, settleRunningPostgres, takeOwnership } from "./ownership.ts";
import { chooseAccount } from "./postgres-user.ts";
import { prepareDatabase } from "./server-role.ts";
import { type LaunchOptions, launchPostgres, type SupervisedPostgres } from "./supervisor.ts";

export interface EmbeddedPostgresOptions {
  /** The cluster is in `${dataDir}/postgres`, its log in `${dataDir}/postgres.log`. Created if absent. */
  readonly dataDir: string;
  /** Settings of postgresql.conf, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called at most once, if PostgreSQL ends without `stop`. The reason quotes its log. */
  readonly onUnexpectedExit?: (reason: Error) => void;
}

export interface EmbeddedPostgres {
  /** `postgres://byond_server:<password>@127.0.0.1:<port>/byond`, as a role that owns the database and nothing else. */
  readonly url: string;
  /** As the superuser of the cluster. Not for the server. */
  readonly administratorUrl: string;
  /**
   * Disconnects all clients, shuts PostgreSQL down cleanly and resolves when its processes have ended. Further calls return
   * the same promise.
   */
  stop(): Promise<void>;
}

const LAUNCHES_MAX = 10;

/** Long, since recovery after a power cut replays everything written since the last checkpoint. */
const READY_MS = 120_000;
const POLL_MS = 20;

/** Failures worth another attempt: the port was taken, or another start or stop is in progress. */
const TRANSIENT =
  /could not bind|could not create any TCP\/IP sockets|lock file "postmaster\.pid" already exists|pre-existing shared memory block/;

/**
 * Starts the PostgreSQL that comes with Byond on a data folder: on a free port of 127.0.0.1, with a random password,
 * until this process ends. One server at a time owns a folder. PostgreSQL ends with this process, also after `kill -9`.
 * Signals to the process group (Ctrl-C) do not reach it, so that requests can be finished before `stop`.
 *
 * @throws EmbeddedPostgresError with a message that says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (cause) {
    if (!isAboutFiles(cause)) throw cause;
    throw new EmbeddedPostgresError(
      orUseDatabaseUrl(`DATA_DIR, ${resolve(options.dataDir)}, cannot be used: ${cause.message}`),
      { cause },
    );
  }
}

/** An error of the file system, such as a folder that cannot be written to or a full disk. Its message names the file. */
function isAboutFiles(error: unknown): error is Error {
  return (
    error instanceof Error &&
    "code" in error &&
    /^E(ACCES|PERM|ROFS|NOTDIR|EXIST|NOENT|ISDIR|LOOP|NAMETOOLONG|NOSPC|DQUOT|IO)$/.test(String(error.code)) &&
    "syscall" in error &&
    !String(error.syscall).startsWith("spawn")
  );
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await loadPostgresBinaries();
  const dataDir = await ensureDataFolder(options.dataDir);
  const clusterDir = clusterDirectory(dataDir);
  const settings = options.settings ?? {};

  const runAs = await chooseAccount(binaries, dataDir, clusterDir);
  await ensureCluster(binaries, runAs, dataDir, settings.fsync !== "off");
  const password = await readClusterPassword(dataDir);
  const connect = ownerConnector(DATABASE_USER, password);

  const { server, port } = await launch({ binaries, runAs, dataDir, settings }, connect);
  try {
    const ownership = await takeOwnership(port, dataDir, connect);
    const url = await prepareDatabase(port, connect);
    await removeInterruptedClusters(dataDir);

    let stopping: Promise<void> | undefined;
    void server.ended.then(async (reason) => {
      if (stopping !== undefined) return;
      await ownership.release();
      options.onUnexpectedExit?.(reason);
    });
    return {
      url,
      administratorUrl: `postgres://${DATABASE_USER}:${password}@127.0.0.1:${port}/byond`,
      stop() {
        stopping ??= Promise.all([ownership.release(), server.stop()]).then(() => undefined);
        return stopping;
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Starts PostgreSQL once no other one runs on the folder, and waits until it accepts connections. */
async function launch(
  options: Omit<LaunchOptions, "port" | "reusedProcessId">,
  connect: ConnectAsOwner,
): Promise<{ readonly server: SupervisedPostgres; readonly port: number }> {
  const { dataDir } = options;
  let failure = "";
  for (let attempt = 0; attempt < LAUNCHES_MAX; attempt += 1) {
    const reusedProcessId = await settleRunningPostgres(clusterDirectory(dataDir), dataDir, connect);
    const port = await findFreePort();
    const server = await launchPostgres({ ...options, port, reusedProcessId });
    const reason = await untilReady(server, port, connect);
    if (reason === undefined) return { server, port };
    failure = reason.message;
    if (!TRANSIENT.test(failure)) break;
    await wait(POLL_MS * 2 ** attempt);
  }
  throw new EmbeddedPostgresError(orUseDatabaseUrl(`PostgreSQL does not start on ${dataDir}: ${failure}`));
}

/** Resolves with undefined when it accepts connections, with the reason if it has ended or does not accept them in time. */
async function untilReady(
  server: SupervisedPostgres,
  port: number,
  connect: ConnectAsOwner,
): Promise<Error | undefined> {
  const deadline = Date.now() + READY_MS;
  while (!server.hasEnded()) {
    try {
      const client = await connect(port);
      await client.end();
      return undefined;
    } catch (cause) {
      if (Date.now() > deadline) {
        await server.stop();
        return new Error(`no answer for ${READY_MS / 1000} seconds`, { cause });
      }
    }
    await wait(POLL_MS);
  }
  return server.ended;
}

/** Another process may take the port before PostgreSQL does; then `launch` tries another one. */
function findFreePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === "object" && address !== null) resolvePort(address.port);
        else reject(new Error("no free port on 127.0.0.1"));
      });
    });
  });
}
