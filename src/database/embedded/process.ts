import { spawn } from "node:child_process";

/** The user PostgreSQL runs as, seen from our own: it refuses uid 0 and users without an entry in the password file. */
export interface RunAs {
  /** Put before a command; empty where nothing is needed. */
  readonly wrapper: readonly string[];
  /** The uid and gid to change to; only where we are root. */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

export interface CommandResult {
  /** 0 for success; undefined where the program could not be started or was killed. */
  readonly exitCode: number | undefined;
  /** What it printed, both streams, or why it could not be started. */
  readonly output: string;
}

/** Splits a command into what `spawn` takes, with the wrapper and the identity applied. */
export function spawnArguments(runAs: RunAs, command: readonly string[]) {
  const [file, ...args] = [...runAs.wrapper, ...command];
  if (file === undefined) throw new Error("an empty command");
  return { file, args, options: { env: postgresEnvironment(), ...runAs.identity } };
}

/** Runs a program to its end. Never rejects. */
export function runCommand(runAs: RunAs, command: readonly string[]): Promise<CommandResult> {
  const { file, args, options } = spawnArguments(runAs, command);
  return new Promise((resolve) => {
    let output = "";
    // A folder that every user can enter: ours may be closed to the one that PostgreSQL runs as.
    const child = spawn(file, args, { ...options, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => resolve({ exitCode: undefined, output: error.message }));
    child.on("close", (code) => resolve({ exitCode: code ?? undefined, output: output.trim() }));
  });
}

/**
 * Our environment without what would steer PostgreSQL: its own variables, and the language, because its messages are
 * read (see `embedded-supervisor.ts`).
 */
function postgresEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("PG") && !name.startsWith("LC_"));
  return { ...Object.fromEntries(kept), LC_ALL: "C" };
}
