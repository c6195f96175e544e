import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { loadPostgresBinaries } from "../../src/embedded-postgres/binaries.ts";
import {
  clusterDirectory,
  DATABASE_USER,
  ensureCluster,
  readClusterPassword,
} from "../../src/embedded-postgres/cluster.ts";
import { chooseAccount, giveToAccount } from "../../src/embedded-postgres/postgres-user.ts";
import { readPostmaster } from "../../src/embedded-postgres/postmaster.ts";
import { type LaunchOptions, launchPostgres, type SupervisedPostgres } from "../../src/embedded-postgres/supervisor.ts";
import { until } from "./load.ts";

/** A PostgreSQL for one test, which can stop it and start it again, with the same data at the same address. */
export class StoppablePostgres implements AsyncDisposable {
  /** Over a Unix socket, if its settings say where. */
  readonly url: string;
  readonly password: string;
  readonly #options: LaunchOptions;
  #server: SupervisedPostgres;

  private constructor(options: LaunchOptions, server: SupervisedPostgres, url: string, password: string) {
    this.#options = options;
    this.#server = server;
    this.url = url;
    this.password = password;
  }

  /**
   * Commits survive its end, whatever that is; only a power cut is another matter. `files` are put beside the data, and its
   * settings can name them by `folder`.
   */
  static async start(
    settings: Readonly<Record<string, string>> | ((folder: string) => Readonly<Record<string, string>>) = {},
    files: Readonly<Record<string, string | Buffer>> = {},
  ): Promise<StoppablePostgres> {
    const dataDir = await mkdtemp(join(tmpdir(), "byond-system-"));
    const binaries = await loadPostgresBinaries();
    const runAs = await chooseAccount(binaries, dataDir, clusterDirectory(dataDir));
    await ensureCluster(binaries, runAs, dataDir, false);
    const password = await readClusterPassword(dataDir);
    const port = await findFreePort();
    const cluster = clusterDirectory(dataDir);
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(cluster, name), content, { mode: 0o600 });
      await giveToAccount(runAs, join(cluster, name));
    }
    const own = typeof settings === "function" ? settings(cluster) : settings;
    const options: LaunchOptions = {
      binaries,
      runAs,
      dataDir,
      port,
      settings: { fsync: "off", ...own },
      reusedProcessId: undefined,
    };
    const socket = own.unix_socket_directories;
    const urlOf = (database: string) =>
      socket === undefined
        ? `postgres://${DATABASE_USER}:${password}@127.0.0.1:${port}/${database}`
        : `postgres://${DATABASE_USER}:${password}@/${database}?host=${socket}&port=${port}`;
    const postgres = new StoppablePostgres(options, await launchPostgres(options), urlOf("byond"), password);
    await postgres.#untilReady(urlOf("postgres"));
    await postgres.query("CREATE DATABASE byond", [], urlOf("postgres"));
    return postgres;
  }

  /** Writes one of the `files` anew. */
  async replaceFile(name: string, content: string | Buffer): Promise<void> {
    await writeFile(join(clusterDirectory(this.#options.dataDir), name), content);
  }

  get port(): number {
    return this.#options.port;
  }

  /** Disconnects everybody and ends in order. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Ends at once, as after a crash: the next start recovers what was committed. */
  async crash(): Promise<void> {
    const postmaster = await readPostmaster(clusterDirectory(this.#options.dataDir));
    if (postmaster === undefined) {
      throw new Error("PostgreSQL does not run");
    }
    process.kill(postmaster.processId, "SIGQUIT");
    await this.#server.ended;
  }

  /** Comes back after `stop` or `crash`. */
  async startAgain(): Promise<void> {
    this.#server = await launchPostgres(this.#options);
    await this.#untilReady(this.url);
  }

  /** Comes back as what a failover leaves behind: a standby, which can be read and not written to, until `promote`. */
  async startAgainAsStandby(): Promise<void> {
    const signal = join(clusterDirectory(this.#options.dataDir), "standby.signal");
    await writeFile(signal, "");
    // PostgreSQL may run as another user.
    await chmod(signal, 0o666);
    await this.startAgain();
  }

  /** Another one with the data of this one, which is stopped: a standby that has received nothing since. */
  async copyAsStandby(): Promise<StoppablePostgres> {
    const dataDir = await mkdtemp(join(tmpdir(), "byond-system-"));
    // With owners and modes.
    await promisify(execFile)("cp", ["-a", `${this.#options.dataDir}/.`, dataDir]);
    const port = await findFreePort();
    const url = new URL(this.url);
    url.port = String(port);
    const copy = new StoppablePostgres({ ...this.#options, dataDir, port }, this.#server, url.href, this.password);
    await copy.startAgainAsStandby();
    return copy;
  }

  async promote(): Promise<void> {
    await this.query("SELECT pg_promote()");
  }

  /** What it logged so far. */
  async readLog(): Promise<string> {
    return readFile(join(this.#options.dataDir, "postgres.log"), "utf8");
  }

  /** Runs a statement on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    url = this.url,
  ): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#options.dataDir, { recursive: true, force: true });
  }

  async #untilReady(url: string): Promise<void> {
    await until("PostgreSQL answers", 60_000, async () => {
      if (this.#server.hasEnded()) {
        throw await this.#server.ended;
      }
      return this.query("SELECT 1", [], url).then(
        () => true,
        () => false,
      );
    });
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === "object" && address !== null) {
          resolve(address.port);
        } else {
          reject(new Error("no free port on 127.0.0.1"));
        }
      });
    });
  });
}
