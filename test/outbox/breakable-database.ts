import type { QueryResultRow } from "pg";
import type { Queryable, Statement } from "../../src/database/database.ts";
import { AppError } from "../../src/errors.ts";

/** A database that can be away, or slow. */
export class BreakableDatabase implements Queryable {
  readonly #database: Queryable;
  isBroken = false;
  /** Statements that found it away. */
  refused = 0;
  /** By name of a statement: what it waits for before it is run. */
  readonly delays = new Map<string, Promise<void>>();

  constructor(database: Queryable) {
    this.#database = database;
  }

  async query<Row extends QueryResultRow>(statement: Statement, values: Parameters<Queryable["query"]>[1]) {
    if (this.isBroken) {
      this.refused += 1;
      throw new AppError("unavailable", "The service is not available right now.");
    }
    await this.delays.get(statement.name);
    return this.#database.query<Row>(statement, values);
  }
}
