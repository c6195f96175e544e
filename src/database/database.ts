import { Migrator } from "@mikro-orm/migrations";
import { type EntityManager, type EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import pg from "pg";
import { AppError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { migrations } from "./migrations/index.ts";

/** A prepared statement: its text never changes, so that PostgreSQL plans it once a connection. */
export interface Statement {
  /** Unique, at most 63 bytes. */
  readonly name: string;
  readonly text: string;
}

type Value = string | number | boolean | Date | Buffer | null | readonly string[];

/** Runs statements: on a connection of its own for each, or all on one connection inside a transaction. */
export interface Queryable {
  /**
   * Runs a statement with its values bound, never written into its text. `timestamptz` comes back as `Date`, `bigint`
   * as string. Throws `unavailable` when the database cannot be reached.
   */
  query<Row extends pg.QueryResultRow>(statement: Statement, values: readonly Value[]): Promise<Row[]>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly logger: Logger;
  /** What the ORM maps: the entities of every capability. */
  readonly entities: readonly EntitySchema[];
  /** Connections at most. */
  readonly poolSize?: number;
}

/** A call is not kept waiting longer: for a connection, then for a statement. A database may be cut off without a word. */
const connectTimeoutMs = 5_000;
const statementTimeoutMs = 10_000;

/**
 * PostgreSQL through MikroORM: entities and migrations are the ORM's, and so is the pool; hot statements, and those with
 * secrets among their values, go through `query`, because the ORM writes values into the text of a statement.
 */
export class Database implements Queryable {
  readonly #orm: MikroORM;
  readonly #pool: pg.Pool;

  private constructor(orm: MikroORM, pool: pg.Pool) {
    this.#orm = orm;
    this.#pool = pool;
  }

  /** Connects and brings the schema up to date. Servers that start together wait for one another. */
  static async open(options: DatabaseOptions): Promise<Database> {
    await migrate(options);
    const orm = await MikroORM.init({
      ...settings(options),
      entities: [...options.entities],
      pool: { min: 0, max: options.poolSize ?? 10, idleTimeoutMillis: 30_000 },
      driverOptions: {
        application_name: "byond",
        connectionTimeoutMillis: connectTimeoutMs,
        query_timeout: statementTimeoutMs,
      },
    });
    try {
      return new Database(orm, await orm.em.getConnection().getNativeClient());
    } catch (error) {
      await orm.close(true);
      throw error;
    }
  }

  /**
   * Runs `work` with an entity manager of its own. Values become text: none of them may be a secret. Throws `unavailable`
   * when the database cannot be reached.
   */
  async withEntities<T>(work: (entities: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(this.#orm.em.fork());
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  async query<Row extends pg.QueryResultRow>(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    return run<Row>(this.#pool, statement, values);
  }

  /**
   * Runs `work` on one connection between BEGIN and COMMIT; anything thrown rolls back. Return expected outcomes rather
   * than throwing them: what was counted must stay counted.
   */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw asUnavailable(error);
    });
    let broken: Error | undefined;
    try {
      await client.query("BEGIN");
      const result = await work({ query: (statement, values) => run(client, statement, values) });
      await client.query("COMMIT");
      return result;
    } catch (error) {
      const reason = asUnavailable(error);
      if (reason instanceof AppError && reason.code === "unavailable") {
        // Nothing more is asked of a connection that may be lost: its end rolls back as well.
        broken = reason;
      } else {
        await client.query("ROLLBACK").catch((rollbackError: Error) => {
          broken = rollbackError;
        });
      }
      throw reason;
    } finally {
      client.release(broken);
    }
  }

  /** Whether the database answers now. */
  async isReachable(): Promise<boolean> {
    try {
      await this.query({ name: "ping", text: "SELECT 1" }, []);
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#orm.close(true);
  }
}

async function run<Row extends pg.QueryResultRow>(
  on: pg.Pool | pg.PoolClient,
  statement: Statement,
  values: readonly Value[],
): Promise<Row[]> {
  try {
    const result = await on.query<Row>({
      name: statement.name,
      text: statement.text,
      values: [...values],
      // The ORM sets its pool up to leave timestamps as text.
      types: pg.types,
    });
    return result.rows;
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** What every connection of the ORM has in common. */
function settings({ url, logger }: DatabaseOptions) {
  return {
    clientUrl: url,
    // A command that only migrates needs none.
    discovery: { warnWhenNoEntities: false },
    debug: false,
    logger: (message: string) => logger.warn("database", { message }),
  };
}

const migrationLock = 7_269_341_950;

/**
 * Brings the schema up to date under an advisory lock of a connection of its own. The ORM that does it has no limit for
 * statements: a migration takes as long as it needs.
 */
async function migrate(options: DatabaseOptions): Promise<void> {
  const client = new pg.Client({ connectionString: options.url, application_name: "byond migrations" });
  // Without a listener, a lost connection would end the process; the statements below fail by themselves then.
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [migrationLock]);
    const orm = await MikroORM.init({
      ...settings(options),
      entities: [],
      pool: { min: 0, max: 1 },
      driverOptions: { application_name: "byond migrations" },
      extensions: [Migrator],
      migrations: { migrationsList: [...migrations], snapshot: false, silent: true, tableName: "schema_migration" },
    });
    try {
      await orm.migrator.up();
    } finally {
      await orm.close(true);
    }
  } finally {
    await client.end();
  }
}

/** SQLSTATE classes and codes, and errors of the driver, that mean "not now" rather than "wrong". */
const unavailableCode =
  /^(08...|53...|57P0[123]|25006|ECONNREFUSED|ECONNRESET|ENOENT|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)$/;
const unavailableMessage =
  /Connection terminated|is not queryable|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after calling end/;

/** The error, or `unavailable` in its place where the database could not be reached. */
function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError) {
    return error;
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (unavailableCode.test(code) || unavailableMessage.test(error.message)) {
    return new AppError("unavailable", "The service is not available right now. Try again shortly.", {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  return error;
}
