import { type EntityManager, type EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import type { Kysely } from "kysely";
import type pg from "pg";
import { activeSpan } from "../observe/active-span.ts";
import type { Logger } from "../observe/log.ts";
import { isTooLate, requireTime, timeLeftMs, tookTooLong, withinTime } from "./call-deadline.ts";
import { checkRoutes, type DatabaseRoutes, migrationRoute, sessionRoute } from "./check-routes.ts";
import { CommitOutcomes } from "./commit-outcomes.ts";
import { findPrimary } from "./connect.ts";
import { type ConnectionSecurity, describeSecurity, type PostgresConnection } from "./connection.ts";
import { DatabaseConnectionError } from "./connection-error.ts";
import { ConnectionWaits } from "./connection-waits.ts";
import { asAppError, isConnectionLost, isConnectionSpent, unavailable } from "./database-errors.ts";
import { migrate } from "./migrate.ts";
import { requireOneDatabase } from "./one-database.ts";
import { ormOptions } from "./orm-options.ts";
import { RefusedConnections } from "./refused-connections.ts";
import type { Schema } from "./schema.ts";
import { applySessionSettings } from "./session-settings.ts";
import { type BoundStatement, queryOf, type Statement } from "./statement.ts";
import { inStatementSpan } from "./statement-span.ts";
import { StatementTimes } from "./statement-times.ts";
import { compileQuery, type TableQuery } from "./table-query.ts";
import { findIncarnation, identityIn, type TransactionIdentity, transactionIdentity } from "./transaction-identity.ts";

/** Runs statements: each on a connection of the pool, or all on the connection of a transaction. */
export interface Queryable {
  /**
   * Runs a statement. Throws `unavailable` if the database cannot be reached; then a statement with effects was rolled back, or
   * never sent.
   *
   * Outside a transaction, a statement with effects has to limit its waits for locks (`limitLockWait`) and to come with a `lookUp`:
   * a statement that finds what the first one would have returned, and no row if it did nothing. It runs if the connection is lost
   * before the answer. If it cannot run either, `outcome_unknown` is thrown. `change` does both, with one round trip more.
   */
  run<Values, Row>(
    statement: Statement<Values, Row>,
    values: NoInfer<Values>,
    lookUp?: BoundStatement<NoInfer<Row>>,
  ): Promise<Row[]>;
}

/** Also runs queries on the tables of entities. */
export interface QueryableTables extends Queryable {
  /**
   * Runs a query that is built with the ORM's Kysely. Its values are bound, never written into the text, and its rows have the
   * types of the entities:
   *
   *     const [account] = await database.query((tables: AccountTables) =>
   *       tables.selectFrom("account").select(["workspaceId", "email"]).where("id", "=", userId),
   *     );
   *
   * Throws what `run` throws. Outside a transaction it is for what only reads, or may be repeated: no outcome is looked up.
   */
  query<Tables, Row>(build: TableQuery<Tables, Row>): Promise<Row[]>;
}

export interface DatabaseOptions extends Schema, DatabaseRoutes {
  readonly logger: Logger;
  /** Connections at most. Default 10. */
  readonly poolSize?: number;
}

/** How often a call asks for a connection: while several are refused at once, the pool learns only by and by how many it has. */
const connectingAttempts = 3;

/** How long a call waits for the answer of a statement: a connection may be cut without notice. */
const statementTimeoutMs = 10_000;

/**
 * Ends a wait for a lock before `statementTimeoutMs` does. Set inside the transaction, or inside the single statement
 * (`limitLockWait`), because a pooler shares the settings of a connection with other clients.
 */
const lockTimeoutMs = 4_000;

/** As the time-outs above, for transactions of several statements. The identity is what the outcome of COMMIT is looked up by. */
const beginOn = (incarnation: string) => `
  BEGIN;
  SET LOCAL lock_timeout = ${lockTimeoutMs};
  SET LOCAL statement_timeout = 8000;
  SET LOCAL idle_in_transaction_session_timeout = 3000;
  ${transactionIdentity(incarnation)}`;

/** As spans name it. */
const commit = { name: "COMMIT", text: "COMMIT" };

/**
 * SQL of a CTE, `begun`, with one row, for the beginning of a statement with effects that runs outside a transaction. The parts that
 * take row locks have to read from it.
 */
export const limitLockWait = `begun AS MATERIALIZED (SELECT set_config('lock_timeout', '${lockTimeoutMs}', true))`;

/**
 * PostgreSQL through MikroORM, which provides entities, migrations and the pool. Statements go through `run`, queries on tables
 * through `query`: both bind their values, which the `EntityManager` would write into the text.
 */
export class Database implements QueryableTables {
  readonly #orm: MikroORM;
  /** What the ORM knows. */
  readonly #discovered = new Set<EntitySchema>();
  readonly #pool: pg.Pool;
  readonly #refused: RefusedConnections;
  readonly #outcomes: CommitOutcomes;
  readonly #connection: PostgresConnection;
  readonly #logger: Logger;
  /** As spans name it. */
  readonly #begin: { readonly name: string; readonly text: string };
  readonly waits = new ConnectionWaits();
  readonly statements = new StatementTimes();
  /** How the first connection is secured. The others are made with the same settings. */
  readonly security: ConnectionSecurity;

  private constructor(
    orm: MikroORM,
    pool: pg.Pool,
    refused: RefusedConnections,
    options: DatabaseOptions,
    security: ConnectionSecurity,
    incarnation: string,
  ) {
    this.#orm = orm;
    this.#pool = pool;
    this.#refused = refused;
    this.#outcomes = new CommitOutcomes(sessionRoute(options), incarnation);
    this.#begin = { name: "BEGIN", text: beginOn(incarnation) };
    this.#connection = options.connection;
    this.#logger = options.logger;
    this.security = security;
  }

  /** Connects and runs the migrations. Servers that start together wait for one another. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { logger, entities, migrations } = options;
    await requireOneDatabase(options);
    await migrate({ connection: migrationRoute(options), logger, entities, migrations });
    await findPrimary(options.connection);
    // `MikroORM.init` would look for extensions of it that may be installed, and load them.
    const orm = new MikroORM({
      ...ormOptions(
        { ...options.connection, query_timeout: statementTimeoutMs },
        options.logger,
        // A pooler in transaction mode would give them to other clients, and not to all sessions of this one.
        async (client) => {
          await options.connection.primary?.requireWritable(client);
          if (options.direct === undefined) {
            await applySessionSettings(client);
          }
        },
      ),
      // Each is discovered when it is first needed, see `withEntities`.
      entities: [],
      pool: { min: 0, max: options.poolSize ?? 10, idleTimeoutMillis: 30_000 },
    });
    try {
      const pool = await orm.em.getConnection().getNativeClient();
      // The pool does not listen to connections that it is closing, nor does it wait until they are closed.
      pool.on("connect", (client) => client.on("error", ignore));
      const refused = new RefusedConnections(pool, options.logger);
      await using first = await firstOf(pool, options.connection);
      await checkRoutes(first.client, options);
      const security = describeSecurity(first.client, options.connection);
      return new Database(orm, pool, refused, options, security, await findIncarnation(first.client));
    } catch (error) {
      await orm.close(true);
      throw error;
    }
  }

  /**
   * Runs `work`, which only reads, with an entity manager of its own. The ORM writes values into the text of statements: none of
   * them may be a secret. Throws `unavailable` if the database cannot be reached.
   *
   * `schemas` are the entities that it reads, and those that they refer to. The ORM learns them here, once: to learn all of them at the start
   * would take longer than the rest of it, and statements and queries need none.
   */
  async withEntities<T>(schemas: readonly EntitySchema[], work: (entities: EntityManager) => Promise<T>): Promise<T> {
    const unknown = schemas.filter((schema) => !this.#discovered.has(schema));
    if (unknown.length > 0) {
      this.#orm.discoverEntity(unknown);
      for (const schema of unknown) {
        this.#discovered.add(schema);
      }
    }
    try {
      requireTime();
      // It only reads.
      return await this.#connecting(() => withinTime(work(this.#orm.em.fork())));
    } catch (error) {
      throw asAppError(error);
    }
  }

  async run<Values, Row>(
    statement: Statement<Values, Row>,
    values: NoInfer<Values>,
    lookUp?: BoundStatement<NoInfer<Row>>,
  ): Promise<Row[]> {
    return this.#execute(statement.bind(values), lookUp);
  }

  async query<Tables, Row>(build: TableQuery<Tables, Row>): Promise<Row[]> {
    return this.#execute(this.#compile(build));
  }

  async #execute<Row>(bound: BoundStatement<Row>, lookUp?: BoundStatement<Row>): Promise<Row[]> {
    await using connection = await this.#connect();
    try {
      return await this.#measured(connection.client, bound);
    } catch (error) {
      connection.breakIfSpent(error);
      if (lookUp === undefined || !isConnectionLost(error)) {
        throw asAppError(error);
      }
      this.#logger.warn("database_connection_lost", { error });
      return this.#outcomes.find((client) => execute(client, lookUp), error);
    }
  }

  #measured<Row>(client: pg.Client, bound: BoundStatement<Row>): Promise<Row[]> {
    return inSpan(client, bound, () => this.statements.measure(bound.name, () => execute(client, bound)));
  }

  #compile<Tables, Row>(build: TableQuery<Tables, Row>): BoundStatement<Row> {
    // As `getKysely()` of an entity manager without a transaction, whose type says what entities the ORM has.
    const kysely: Kysely<Tables> = this.#orm.em.getConnection().getClient();
    return compileQuery(kysely, build);
  }

  /**
   * Runs `work` on one connection between BEGIN and COMMIT; an error rolls back. Return expected outcomes rather than throwing
   * them, so that what was counted stays counted.
   *
   * Throws `unavailable` if the transaction was rolled back because of the database. If the connection is lost between COMMIT and
   * its answer, the outcome is looked up; if that fails too, it throws `outcome_unknown`.
   */
  async transaction<T>(work: (transaction: QueryableTables) => Promise<T>): Promise<T> {
    await using connection = await this.#connect();
    const { client } = connection;
    let result: T;
    let identity: TransactionIdentity;
    try {
      identity = identityIn(await inSpan(client, this.#begin, () => client.query(inTime(this.#begin.text))));
      const executeInTime = async <Row>(bound: BoundStatement<Row>) => {
        requireTime();
        try {
          return await this.#measured(client, bound);
        } catch (error) {
          connection.breakIfSpent(error);
          throw asAppError(error);
        }
      };
      result = await work({
        run: async (statement, values) => executeInTime(statement.bind(values)),
        query: async (build) => executeInTime(this.#compile(build)),
      });
      requireTime();
    } catch (error) {
      // Closing a connection rolls back as well: a connection that may be lost gets no ROLLBACK.
      connection.breakIfSpent(error);
      await connection.rollBack();
      throw asAppError(error);
    }
    try {
      await inSpan(client, commit, () => client.query(inTime(commit.text)));
    } catch (error) {
      connection.breakIfSpent(error);
      if (!isConnectionLost(error)) {
        throw asAppError(error);
      }
      this.#logger.warn("database_connection_lost", { error });
      await this.#outcomes.requireCommitted(identity, error);
    }
    return result;
  }

  /** Connections of the pool, how many of them nobody uses, how many there may be, and calls that wait for one. */
  get poolUse(): {
    readonly connections: number;
    readonly idle: number;
    readonly max: number;
    readonly waiting: number;
  } {
    const { totalCount, idleCount, waitingCount, options } = this.#pool;
    return { connections: totalCount, idle: idleCount, max: options.max, waiting: waitingCount };
  }

  async close(): Promise<void> {
    await this.#orm.close(true);
  }

  async #isPrimaryFound(error: unknown): Promise<boolean> {
    return (await this.#connection.primary?.isFoundAfter(error, this.#connection)) === true;
  }

  /** Runs `work`, which begins with taking a connection, again if that was refused and may not be the next time. */
  async #connecting<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      this.#refused.beforeTaking();
      try {
        return await work();
      } catch (error) {
        const mayTryAgain =
          attempt < connectingAttempts &&
          !isTooLate() &&
          (this.#refused.mayTryAgain(error) || (await this.#isPrimaryFound(error)));
        if (!mayTryAgain) {
          throw error;
        }
      }
    }
  }

  async #connect(): Promise<Connection> {
    requireTime();
    let client: pg.PoolClient;
    try {
      client = await this.waits.measure(() => this.#connecting(() => this.#pool.connect()));
    } catch (error) {
      // Whatever the error, nothing was sent.
      throw unavailable(error);
    }
    if (isTooLate()) {
      client.release();
      throw tookTooLong();
    }
    return new Connection(client);
  }
}

/**
 * Runs one statement with effects in a transaction of its own: its waits for locks are limited, and its outcome is looked up if the
 * connection is lost.
 */
export async function change<Values, Row>(
  database: Pick<Database, "transaction">,
  statement: Statement<Values, Row>,
  values: NoInfer<Values>,
): Promise<Row[]> {
  return database.transaction((transaction) => transaction.run(statement, values));
}

async function firstOf(pool: pg.Pool, connection: PostgresConnection): Promise<Connection> {
  try {
    return new Connection(await pool.connect());
  } catch (error) {
    throw new DatabaseConnectionError(error, connection);
  }
}

/** A connection of the pool, until it is disposed. */
class Connection implements AsyncDisposable {
  readonly client: pg.PoolClient;
  #broken: Error | undefined;

  constructor(client: pg.PoolClient) {
    this.client = client;
    // Statements fail by themselves; without a listener a lost connection would end the process.
    client.on("error", ignore);
  }

  breakIfSpent(error: unknown): void {
    if (error instanceof Error && isConnectionSpent(error)) {
      this.#broken = error;
    }
  }

  async rollBack(): Promise<void> {
    if (this.#broken === undefined) {
      await this.client.query(inTime("ROLLBACK")).catch((error: Error) => {
        this.#broken = error;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.off("error", ignore);
    this.client.release(this.#broken);
  }
}

const ignore = () => undefined;

function inSpan<T>(
  client: pg.Client,
  statement: Pick<BoundStatement<unknown>, "name" | "text">,
  work: () => Promise<T>,
) {
  return activeSpan() === undefined ? work() : inStatementSpan(client, statement, work);
}

/** How long to wait for an answer: as long as a statement may take, and no longer than the current call may. */
function answerTimeoutMs(): number {
  return Math.min(statementTimeoutMs, timeLeftMs() ?? Number.POSITIVE_INFINITY);
}

function inTime(text: string) {
  return { text, query_timeout: answerTimeoutMs() };
}

async function execute<Row>(client: pg.ClientBase, statement: BoundStatement<Row>): Promise<Row[]> {
  const query = { ...queryOf(statement), query_timeout: answerTimeoutMs() };
  return statement.rowsOf(await client.query<unknown[]>(query));
}
