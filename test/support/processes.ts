import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { RestAnswer, RestCall } from "./app.ts";
import { root, serverProgram } from "./server-program.ts";
import { verifyEmailOf } from "./verified-email.ts";

export interface ServerProcessOptions {
  readonly databaseUrl: string;
  /** Variables in addition to those of every test server, or replacing them. No others are inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Of Node. Default: none. */
  readonly nodeOptions?: readonly string[];
  /** The program's path from the root of the checkout, which prints its address as the server does. Default: the server. */
  readonly program?: string;
}

/** How a process ended: one of the two is not null. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of the server's log. */
export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Node's compile cache, shared by the servers: later ones start in half the time. */
export const compileCache = join(root, "node_modules/.cache/compiled");
const startTimeoutMs = 60_000;
/** Longer than a graceful stop takes. */
const stopTimeoutMs = 20_000;
const callTimeoutMs = 30_000;
const pollMs = 20;

const defaultEnvironment = {
  PORT: "0",
  BYOND_SECRET: "a secret of the tests that is long enough",
  SIGN_UP: "open",
  SIGN_UP_LIMIT: "1000000",
  DEFAULT_TIER: "unlimited",
};

/**
 * A server as in production: a process with a free port, on a database that it may share with others.
 * Dispose of it, or declare it with `await using`. It never outlives the test process.
 */
export class ServerProcess implements AsyncDisposable {
  readonly #options: ServerProcessOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<ProcessExit>;
  #exit: ProcessExit | undefined;
  #output = "";
  #log = "";
  #url = "";
  #accounts = 0;

  private constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.#child = spawn(
      process.execPath,
      [...(options.nodeOptions ?? []), resolve(root, options.program ?? serverProgram)],
      {
        // Not in the checkout, where a developer may have a .env file that the server would read.
        cwd: import.meta.dirname,
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          NODE_COMPILE_CACHE: compileCache,
          ...defaultEnvironment,
          DATABASE_URL: options.databaseUrl,
          ...options.environment,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    endWithUs(this.#child);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
    // "close" is emitted when all output of the process has been read.
    this.#exited = once(this.#child, "close").then(([code, signal]) => {
      this.#exit = { code, signal };
      return this.#exit;
    });
  }

  /** Starts a server and waits until it is ready. Throws with its output if it ends before. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    try {
      await server.#becomeReady();
      return server;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  /** Starts another server with the same options, after this one was killed or while it runs. */
  startAnother(): Promise<ServerProcess> {
    return ServerProcess.start(this.#options);
  }

  /** `http://127.0.0.1:<port>` */
  get url(): string {
    return this.#url;
  }

  /** How it ended; undefined while it runs. */
  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Its output so far, standard output and standard error. */
  get written(): string {
    return this.#output + this.#log;
  }

  /** Its log so far. Throws if standard error has anything besides log lines. */
  get logLines(): LogLine[] {
    const complete = this.#log.slice(0, this.#log.lastIndexOf("\n") + 1);
    return complete
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  /** Kills it with SIGKILL, like a power cut. Resolves when it has ended. */
  kill(): Promise<ProcessExit> {
    this.#child.kill("SIGKILL");
    return this.#exited;
  }

  /** Pauses it, with its connections open, until `thaw`. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** Stops it gracefully and waits for its end. Throws if that takes too long, and kills it. */
  async stop(): Promise<ProcessExit> {
    this.#child.kill("SIGTERM");
    const patience = new AbortController();
    const exit = await Promise.race([
      this.#exited,
      pause(stopTimeoutMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    if (exit === undefined) {
      await this.kill();
      throw new Error(`the server did not stop within ${stopTimeoutMs} ms:\n${this.written}`);
    }
    return exit;
  }

  /** Calls `/api/v1` and reads the JSON. Rejects if the server goes away before it has answered. */
  async rest(method: string, path: string, call: RestCall = {}): Promise<RestAnswer> {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: {
        ...(call.key === undefined ? {} : { "X-API-Key": call.key }),
        ...(call.session === undefined ? {} : { Authorization: `Bearer ${call.session}` }),
        ...(call.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** The status of `/readyz`. */
  async readiness(): Promise<number> {
    const response = await fetch(`${this.#url}/readyz`, { signal: AbortSignal.timeout(callTimeoutMs) });
    await response.arrayBuffer();
    return response.status;
  }

  /** A session of a new account with a verified email, so that its live keys can be used with real providers. */
  async signUp(name = "Acme"): Promise<{ readonly session: string; readonly workspaceId: string }> {
    this.#accounts += 1;
    const email = `owner-${this.#accounts}-${this.#child.pid}@example.com`;
    const { status, body } = await this.rest("POST", "/auth/sign-up", {
      body: { email, password: "correct horse battery", name },
    });
    if (status !== 201) {
      throw new Error(`sign-up answered ${status}: ${JSON.stringify(body)}`);
    }
    await verifyEmailOf(this.#options.databaseUrl, body.workspace_id);
    return { session: body.access_token, workspaceId: body.workspace_id };
  }

  /** A new key of a new account. */
  async mintKey(
    options: { readonly mode?: "live" | "test"; readonly scopes?: readonly string[] } = {},
  ): Promise<string> {
    const { session } = await this.signUp();
    const { status, body } = await this.rest("POST", "/api-keys", { session, body: { name: "test key", ...options } });
    if (status !== 201) {
      throw new Error(`minting a key answered ${status}: ${JSON.stringify(body)}`);
    }
    return body.key;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #becomeReady(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      this.#url ||= /listening on (http:\S+)/.exec(this.#output)?.[1] ?? "";
      if (this.#url !== "" && (await this.readiness()) === 200) {
        return;
      }
      if (this.#exit !== undefined) {
        throw new Error(`the server ended at its start with ${JSON.stringify(this.#exit)}:\n${this.written}`);
      }
      if (performance.now() > deadline) {
        throw new Error(`the server was not ready within ${startTimeoutMs} ms:\n${this.written}`);
      }
      await pause(pollMs);
    }
  }
}

const running = new Set<ChildProcess>();

/** Child processes would otherwise outlive a test process that ends early. */
function endWithUs(child: ChildProcess): void {
  if (running.size === 0) {
    process.on("exit", killRunning);
  }
  running.add(child);
  child.once("exit", () => {
    running.delete(child);
    if (running.size === 0) {
      process.off("exit", killRunning);
    }
  });
}

function killRunning(): void {
  for (const child of running) {
    child.kill("SIGKILL");
  }
}
