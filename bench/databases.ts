import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../src/embedded-postgres/embedded-postgres.ts";
import { runFolder } from "./processes.ts";

/** The PostgreSQL of the run: the one that Byond brings along, with its settings. */
export class Postgres implements AsyncDisposable {
  readonly #embedded: EmbeddedPostgres;
  readonly #folder: string;
  #databases = 0;

  private constructor(embedded: EmbeddedPostgres, folder: string) {
    this.#embedded = embedded;
    this.#folder = folder;
  }

  /** `settings`: of postgresql.conf, for a PostgreSQL of its own in another folder of the run. */
  static async start(name = "data", settings: Readonly<Record<string, string>> = {}): Promise<Postgres> {
    const folder = join(runFolder, name);
    return new Postgres(await startEmbeddedPostgres({ dataDir: folder, settings }), folder);
  }

  get logPath(): string {
    return join(this.#folder, "postgres.log");
  }

  /** The process that all others of PostgreSQL are children of. */
  get processId(): number {
    return Number.parseInt(readFileSync(join(this.#folder, "postgres/postmaster.pid"), "utf8"), 10);
  }

  get version(): Promise<string> {
    return this.asAdministrator(async (client) => {
      const { rows } = await client.query("SHOW server_version");
      return rows[0].server_version;
    });
  }

  /** An empty database of the servers' role. */
  createDatabase(): Promise<string> {
    return this.#create("");
  }

  /** A copy of a database that nobody is connected to. */
  copyDatabase(url: string): Promise<string> {
    return this.#create(`TEMPLATE ${nameOf(url)}`);
  }

  dropDatabase(url: string): Promise<unknown> {
    return this.asAdministrator((client) => client.query(`DROP DATABASE ${nameOf(url)} WITH (FORCE)`));
  }

  /** Runs `use` as the owner of the cluster, in the database of a URL if there is one. */
  async asAdministrator<T>(use: (client: pg.Client) => Promise<T>, databaseUrl?: string): Promise<T> {
    const url = new URL(this.#embedded.administratorUrl);
    if (databaseUrl !== undefined) {
      url.pathname = `/${nameOf(databaseUrl)}`;
    }
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  async #create(options: string): Promise<string> {
    const url = new URL(this.#embedded.url);
    this.#databases += 1;
    url.pathname = `/bench_${this.#databases}`;
    const statement = `CREATE DATABASE bench_${this.#databases} OWNER ${url.username} ${options}`;
    await this.asAdministrator((client) => client.query(statement));
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#embedded.stop();
  }
}

export function nameOf(databaseUrl: string): string {
  return new URL(databaseUrl).pathname.slice(1);
}
