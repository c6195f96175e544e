import { spawn } from "node:child_process";
import { join } from "node:path";
import type { PostgresBinaries } from "./binaries.ts";
import { clusterDirectory } from "./cluster.ts";
import { openPostgresLog } from "./postgres-log.ts";
import { STOP_PATIENCE_MS, stopRunningPostmaster } from "./postmaster.ts";
import { type RunAs, spawnArguments } from "./run-program.ts";

/**
 * Ends PostgreSQL when this process ends. File descriptor 3 is a pipe whose other end only this process holds: when it ends, also by
 * `kill -9`, the pipe closes, `read` returns, and PostgreSQL gets SIGINT, a fast shutdown. The script ends when PostgreSQL ends, for
 * whatever reason. It ignores signals to the process group, since PostgreSQL must outlive the requests that are being finished.
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
  /** Resolves when PostgreSQL has ended, for whatever reason; the error says how it ended and quotes its log. */
  readonly ended: Promise<Error>;
  /** Whether it has ended. */
  hasEnded(): boolean;
  /** Fast shutdown: disconnects clients and writes a checkpoint. Resolves when all processes have ended. */
  stop(): Promise<void>;
}

export interface LaunchOptions {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly dataDir: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  /** The process id in a stale `postmaster.pid`, which another process may have now. */
  readonly reusedProcessId: number | undefined;
}

/** Starts PostgreSQL on the cluster of a data folder, in a session of its own, so that Ctrl-C in a terminal does not reach it. */
export async function launchPostgres(options: LaunchOptions): Promise<SupervisedPostgres> {
  const { binaries, dataDir } = options;
  const clusterDir = clusterDirectory(dataDir);
  const settings: Record<string, string> = {
    timezone: "UTC",
    log_timezone: "UTC",
    log_checkpoints: "off",
    // Statements, and the rows of failed ones, contain secrets and personal data.
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
  // Only its closing matters: nothing is read from it or written to it.
  const pipe = child.stdio[3];
  pipe?.on("error", () => undefined);

  let over = false;
  const ended = new Promise<Error>((resolve) => {
    const finish = async (how: string, supervisorWasKilled: boolean) => {
      pipe?.destroy();
      // PostgreSQL still runs then, without a supervisor.
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
      const immediateStop = setTimeout(() => stopRunningPostmaster(clusterDir, 0), STOP_PATIENCE_MS);
      await ended;
      clearTimeout(immediateStop);
    },
  };
}

function startSupervisor(options: LaunchOptions, command: readonly string[], log: number) {
  const { file, args, options: base } = spawnArguments(options.runAs, ["sh", "-c", SUPERVISOR, "sh", ...command]);
  const env = { ...base.env };
  // With this, PostgreSQL does not take that process for another PostgreSQL: see CreateLockFile in its miscinit.c.
  if (options.reusedProcessId !== undefined) env.PG_GRANDPARENT_PID = String(options.reusedProcessId);
  return spawn(file, args, { ...base, env, cwd: "/", detached: true, stdio: ["ignore", log, log, "pipe"] });
}
