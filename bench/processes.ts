import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");
/** Where the bench keeps what it installs and builds. */
export const cacheFolder = join(root, ".cache/bench");
/** For what a run writes. Removed at its end. */
export const runFolder = mkdtempSync(join(tmpdir(), "byond-bench-"));
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
  rmSync(runFolder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => process.exit(1));
}

export interface ServerOptions {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
}

/** A server in a process of its own, which says where it listens. Its log goes to a file, as in production. */
export class Server implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Resolves when it listens. Throws, with its log, if it ends before. */
  static async start({ command: [program, ...args], environment }: ServerOptions): Promise<Server> {
    const logPath = join(runFolder, `server-${servers++}.log`);
    const log = openSync(logPath, "w");
    const child = spawn(program, args, {
      // Not in the checkout, where somebody may have a .env file: servers read it.
      cwd: runFolder,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
      stdio: ["ignore", "pipe", log],
    });
    closeSync(log);
    running.add(child);
    child.once("exit", () => running.delete(child));
    let output = "";
    const listening = new Promise<string>((resolve) => {
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const url = /listening on (http:\S+)/.exec(output)?.[1];
        if (url !== undefined) {
          resolve(url);
        }
      });
    });
    const ended = once(child, "exit").then(() => {
      throw new Error(`${program} ${args.join(" ")} ended:\n${output}${readFileSync(logPath, "utf8").slice(-5_000)}`);
    });
    ended.catch(() => undefined);
    return new Server(await Promise.race([listening, ended]), child);
  }

  /** Resident memory, in MB. */
  get residentMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
  }

  /** The CPU time that it and its workers have taken so far, in ms. */
  get cpuMs(): number {
    const { pid = 0 } = this.#child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    const ticks = [pid, ...children].flatMap((id) =>
      readFileSync(`/proc/${id}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")
        .slice(11, 13)
        .map(Number),
    );
    // Linux counts in hundredths of a second.
    return ticks.reduce((sum, each) => sum + each, 0) * 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await exited;
    }
  }
}

let servers = 0;
