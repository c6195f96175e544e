import { onTestFinished } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { Database, type Queryable } from "../../src/database/database.ts";
import { type RevocationOptions, startRevocation } from "../../src/revocation/revocation-service.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";

interface Badge {
  readonly version: number;
}

/** A database with two badges of one team, and servers that cache badges as the product caches credentials. */
export class TestCredentialStore {
  readonly url: string;
  readonly database: Database;
  readonly #drop: () => Promise<void>;

  private constructor(url: string, database: Database, drop: () => Promise<void>) {
    this.url = url;
    this.database = database;
    this.#drop = drop;
  }

  static async open(): Promise<TestCredentialStore> {
    const { url, drop } = await createMigratedDatabase();
    const database = await Database.open({
      connection: await connectionTo(url),
      logger: captureLog().logger,
      ...standardSchema,
    });
    const store = new TestCredentialStore(url, database, drop);
    await store.run("CREATE TABLE badge (id text PRIMARY KEY, team text NOT NULL, version integer NOT NULL)");
    return store;
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.#drop();
  }

  async run(text: string): Promise<void> {
    await querySql(this.database, { name: `test ${text.slice(0, 50)}`, text }, []);
  }

  /** As at the beginning, with no server. */
  async reset(): Promise<void> {
    await this.run("DELETE FROM server");
    await this.run("DELETE FROM badge");
    await this.run("INSERT INTO badge VALUES ('ada', 'red', 1), ('bob', 'red', 1)");
  }

  /** Adds the row of a server that crashed. */
  async addCrashedServer(leaseMs: number): Promise<void> {
    await this.run(`INSERT INTO server VALUES ('srv_gone', ${leaseMs}, 0, 0, pg_postmaster_start_time(), byond_now())`);
  }

  /** A server that stops when the test ends. It counts how often it reads a badge. */
  async startServer(changes: Partial<RevocationOptions> = {}) {
    const { database, url } = this;
    const log = captureLog();
    const service = await startRevocation({
      database,
      connection: await connectionTo(url),
      clock: systemClock,
      logger: log.logger,
      serverId: "srv_test",
      ...changes,
    });
    onTestFinished(() => service.stop());
    let reads = 0;
    const cache = service.cache<Badge>({
      subjectOf: (id) => `badge:${id}`,
      maxEntries: 100,
      load: async (id) => {
        reads += 1;
        const text = "SELECT team, version FROM badge WHERE id = $1";
        const [row] = await querySql<{ team: string; version: number }>(database, { name: "test_read_badge", text }, [
          id,
        ]);
        return row === undefined ? undefined : { record: { version: row.version }, subjects: [`team:${row.team}`] };
      },
    });
    return {
      service,
      cache,
      log,
      reads: () => reads,
      version: async (id: string) => (await cache.get(id))?.record.version,
      /** Changes a badge and revokes it. Resolves with its new version. */
      change: (id: string) => service.revoke([`badge:${id}`], (transaction) => raise(transaction, id)),
    };
  }
}

/** Raises a badge's version by one. */
export async function raise(transaction: Queryable, id: string): Promise<number> {
  const text = "UPDATE badge SET version = version + 1 WHERE id = $1 RETURNING version";
  const [row] = await querySql<{ version: number }>(transaction, { name: "test_raise_badge", text }, [id]);
  return row?.version ?? 0;
}
