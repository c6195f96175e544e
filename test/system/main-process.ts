import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileCache } from "../support/processes.ts";
import { serverProgram } from "../support/server-program.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface MainOptions {
  /** Everything that the process has in its environment, beside PATH, HOME and where Node keeps compiled code. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program and its arguments; by default the server. */
  readonly command?: readonly [program: string, ...args: string[]];
  /** Arguments of the server's program. */
  readonly args?: readonly string[];
  /** The server's sources are there, and run. */
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What it reads on standard input. */
  readonly input?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const patienceMs = 60_000;

/** The server in a process of its own, just as it is, with what it writes. Dispose of it. */
export class MainProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly exited: Promise<Exit>;
  output = "";
  log = "";

  constructor(options: MainOptions = {}) {
    const program = options.cwd === undefined ? serverProgram : join(options.cwd, "src/main.ts");
    const main = [process.execPath, program, ...(options.args ?? [])] as const;
    const { command = main } = options;
    this.#child = spawn(command[0], command.slice(1), {
      // Not in the checkout, where somebody may have a .env file: servers read it.
      cwd: options.cwd ?? (options.command === undefined ? import.meta.dirname : root),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: compileCache, ...options.environment },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...options.user,
    });
    // It would live on when the process of the tests ends early.
    const end = () => this.#child.kill("SIGKILL");
    process.once("exit", end);
    this.#child.once("exit", () => process.off("exit", end));
    this.#child.stdin?.end(options.input);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    this.exited = once(this.#child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** Reads nothing of its log until it is called again with `false`, as a program that is slow. */
  pauseLog(isPaused: boolean): void {
    this.#child.stderr?.[isPaused ? "pause" : "resume"]();
  }

  /** Reads nothing more of what it writes, as when the program that collects its log has ended. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote, to standard output and to standard error. */
  get written(): string {
    return this.output + this.log;
  }

  /** Waits until it has written something that matches. Throws, with what it wrote, if it ends before. */
  async wrote(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.exited.then((exit) => {
      throw new Error(`it ended with ${JSON.stringify(exit)} and never wrote ${pattern}:\n${this.written}`);
    });
    // Somebody else may be waiting for its end, and expect it.
    ended.catch(() => undefined);
    const late = AbortSignal.timeout(patienceMs);
    for (;;) {
      const found = pattern.exec(this.written);
      if (found !== null) {
        return found;
      }
      const more = Promise.race([
        this.#child.stdout === null ? undefined : once(this.#child.stdout, "data", { signal: late }),
        this.#child.stderr === null ? undefined : once(this.#child.stderr, "data", { signal: late }),
      ]);
      await Promise.race([more, ended]);
    }
  }

  /** Waits for the server to listen, and tells where. */
  async url(): Promise<string> {
    return (await this.wrote(/Byond is listening on (\S+)\n/))[1] ?? "";
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<Exit> {
    this.#child.kill("SIGTERM");
    return this.exited;
  }

  /** In order, if it can: its PostgreSQL is gone then, and whoever removes the data finds nobody who writes to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    const killing = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    await this.exited;
    clearTimeout(killing);
  }
}

/** A folder of its own under the system's temporary one. */
export async function makeFolder(mode = 0o700): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "byond-process-"));
  await chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
