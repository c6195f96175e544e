import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** The program: that of `TEST_PGBOUNCER`, or of the machine. */
const program = process.env.TEST_PGBOUNCER ?? "pgbouncer";
const found = spawnSync(program, ["--version"], { encoding: "utf8" });
const [major = 0, minor = 0] = (/PgBouncer (\d+)\.(\d+)/.exec(found.stdout ?? "") ?? []).slice(1).map(Number);

/** Undefined: there is none. */
export const pgbouncerVersion = major === 0 ? undefined : `${major}.${minor}`;
/** Whether it can keep prepared statements in transaction mode. */
export const keepsStatements = major > 1 || minor >= 21;

/** A PgBouncer in front of one PostgreSQL. Dispose of it. */
export class PgBouncer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #port: number;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.#port = port;
  }

  /** `postgresUrl` says the host, the role and its password. `settings` are added to those in the file. */
  static async start(
    postgresUrl: string,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<PgBouncer> {
    const folder = await mkdtemp(join(tmpdir(), "byond-pgbouncer-"));
    const port = await freePort();
    const { hostname, port: postgresPort, username, password } = new URL(postgresUrl);
    const all = {
      listen_addr: "127.0.0.1",
      listen_port: port,
      unix_socket_dir: "",
      auth_type: "any",
      pool_mode: "transaction",
      max_client_conn: 2_000,
      default_pool_size: 8,
      ...settings,
    };
    const file = join(folder, "pgbouncer.ini");
    await writeFile(
      file,
      [
        "[databases]",
        `* = host=${hostname.replace(/^\[|\]$/g, "")} port=${postgresPort} user=${username} password=${decodeURIComponent(password)}`,
        "[pgbouncer]",
        ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
        "",
      ].join("\n"),
    );
    // It does not run as root.
    const isRoot = process.getuid?.() === 0;
    await chmod(folder, 0o755);
    const child = spawn(program, [...(isRoot ? ["-u", "nobody"] : []), file], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr?.on("data", (part: Buffer) => {
      said += part.toString();
    });
    const bouncer = new PgBouncer(child, folder, port);
    for (let attempt = 0; !(await accepts(port)); attempt += 1) {
      if (child.exitCode !== null || attempt === 600) {
        await bouncer[Symbol.asyncDispose]();
        throw new Error(`pgbouncer does not listen: ${said}`);
      }
      await pause(50);
    }
    return bouncer;
  }

  /** The URL of a database, through it. */
  urlOf(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.hostname = "127.0.0.1";
    url.port = String(this.#port);
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => this.#child.once("exit", resolve));
      // At once, whoever is connected.
      this.#child.kill("SIGKILL");
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
