import { spawn } from "node:child_process";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { clusterDirectory } from "./cluster.ts";
import { openPostgresLog } from "./postgres-log.ts";
import { STOP_PATIENCE_MS, stopRunningPostmaster } from "./postmaster.ts";
import { type RunAs, spawnArguments } from "./run-program.ts";

/**
 * Ties the life of PostgreSQL to ours. File descriptor 3 is a pipe whose other end only our process holds: however that
 * ends, `kill -9` included, the pipe closes, `read` returns, and PostgreSQL gets SIGINT, a fast shutdown. The script
 * ends when PostgreSQL ends, whatever the reason, and ignores what is sent to whole process groups: PostgreSQL has to
 * outlive the requests that are being finished.
 */
const SUPERVISOR = `
trap '' HUP INT TERM
"$@" 3<&- &
postgres=$!
( read -r _ <&3; kill -INT "$postgres" ) &
watcher=$!
exec 3<&-
wait "$postgres"
status=$?
kill -KILL "$watcher" 2>/dev/null
exit "$status"
`;

export interface SupervisedPostgres {
  /** Settles when PostgreSQL is gone, for whatever reason; the error says how it ended and quotes its log. */
  readonly ended: Promise<Error>;
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** Fast shutdown: clients are disconnected, files are left in order. Resolves when all processes are gone. */
  stop(): Promise<void>;
}

export interface LaunchOptions {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly dataDir: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  /** A process known not to be PostgreSQL although `postmaster.pid` names it. */
  readonly strangerProcessId: number | undefined;
}

/** Starts PostgreSQL on the cluster of a data folder, in a session of its own: Ctrl-C in a terminal is not for it. */
export async function launchPostgres(options: LaunchOptions): Promise<SupervisedPostgres> {
  const { binaries, dataDir } = options;
  const clusterDir = clusterDirectory(dataDir);
  const settings: Record<string, string> = {
    timezone: "UTC",
    log_timezone: "UTC",
    log_checkpoints: "off",
    // Statements, and the rows that a failed one concerned, contain what must never be in a log.
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    unix_socket_directories: "",
    ...options.settings,
    listen_addresses: "127.0.0.1",
    port: String(options.port),
  };
  const command = [binaries.postgres, "-D", clusterDir];
  for (const [name, value] of Object.entries(settings)) command.push("-c", `${name}=${value}`);

  const log = await openPostgresLog(join(dataDir, "postgres.log"));
  const child = startSupervisor(options, command, log.descriptor);
  await log.closeDescriptor();
  // A net.Socket: nothing is ever read from it, and nothing is written.
  const pipe = child.stdio[3];
  pipe?.on("error", () => undefined);

  let over = false;
  const ended = new Promise<Error>((resolve) => {
    const finish = async (how: string, supervisorWasKilled: boolean) => {
      pipe?.destroy();
      // Then PostgreSQL is still there, and on its own.
      if (supervisorWasKilled) await stopRunningPostmaster(clusterDir, STOP_PATIENCE_MS);
      over = true;
      resolve(new Error(`PostgreSQL ended (${how}). ${await log.written()}`.trim()));
    };
    child.once("error", (error) => finish(error.message, false));
    child.once("exit", (code, signal) => finish(signal ?? `exit status ${code}`, signal !== null));
  });

  return {
    ended,
    hasEnded: () => over,
    async stop() {
      pipe?.destroy();
      const impatience = setTimeout(() => stopRunningPostmaster(clusterDir, 0), STOP_PATIENCE_MS);
      await ended;
      clearTimeout(impatience);
    },
  };
}

function startSupervisor(options: LaunchOptions, command: readonly string[], log: number) {
  const { file, args, options: base } = spawnArguments(options.runAs, ["sh", "-c", SUPERVISOR, "sh", ...command]);
  const env = { ...base.env };
  // The means by which PostgreSQL is told to take a process for a stranger: see CreateLockFile in its miscinit.c.
  if (options.strangerProcessId !== undefined) env.PG_GRANDPARENT_PID = String(options.strangerProcessId);
  return spawn(file, args, { ...base, env, cwd: "/", detached: true, stdio: ["ignore", log, log, "pipe"] });
}
