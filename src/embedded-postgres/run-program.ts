import { spawn } from "node:child_process";

/** How to run a program as the user that PostgreSQL runs as: it rejects uid 0 and users without a name. */
export interface RunAs {
  /** Put before a command; empty if not needed. */
  readonly wrapper: readonly string[];
  /** The uid and gid to change to; for root only. */
  readonly identity?: { readonly uid: number; readonly gid: number };
}

export interface CommandResult {
  /** 0 for success; undefined if the program could not be started or was killed. */
  readonly exitCode: number | undefined;
  /** What it printed, both streams, or why it could not be started. */
  readonly output: string;
}

/** Splits a command into what `spawn` takes, with the wrapper and the identity applied. */
export function spawnArguments(runAs: RunAs, command: readonly string[]) {
  const [file, ...args] = [...runAs.wrapper, ...command];
  if (file === undefined) throw new Error("an empty command");
  return { file, args, options: { env: childEnvironment(), ...runAs.identity } };
}

/** Runs a program to its end. Never rejects. */
export function runCommand(runAs: RunAs, command: readonly string[]): Promise<CommandResult> {
  const { file, args, options } = spawnArguments(runAs, command);
  return new Promise((resolve) => {
    let output = "";
    // A folder that every user can enter; the current one may be closed to the user that PostgreSQL runs as.
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
 * The environment variables that children inherit. The others are withheld: they contain the server's secrets, and a child's
 * environment can be read by every process of its user (`/proc/<pid>/environ`) and by SQL (`pg_read_file`).
 */
const inherited = [
  "PATH",
  "HOME",
  "TMPDIR",
  "TZ",
  // Where the linkers of NixOS and macOS find the libraries of the programs.
  "LD_LIBRARY_PATH",
  "NIX_LD",
  "NIX_LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  "DYLD_FALLBACK_LIBRARY_PATH",
  // How containers with arbitrary uids give them a name, which `initdb` needs.
  "LD_PRELOAD",
  "NSS_WRAPPER_PASSWD",
  "NSS_WRAPPER_GROUP",
] as const;

/** The environment of every child. Its language is C, because PostgreSQL's messages are read (see `TRANSIENT`). */
export function childEnvironment(): NodeJS.ProcessEnv {
  const kept = inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(kept), LC_ALL: "C" };
}
