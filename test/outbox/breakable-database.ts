import type { Queryable } from "../../src/database/database.ts";
import type { Statement } from "../../src/database/statement.ts";
import { AppError } from "../../src/errors.ts";

/** A database that can be away, or slow. */
export class BreakableDatabase implements Queryable {
  readonly #database: Queryable;
  isBroken = false;
  /** Statements that found it away. */
  refused = 0;
  /** By name of a statement: what it waits for before it is run. */
  readonly delays = new Map<string, Promise<void>>();
  /** By name of a statement: what its answer waits for. */
  readonly lateAnswers = new Map<string, Promise<void>>();

  constructor(database: Queryable) {
    this.#database = database;
  }

  async run<Values, Row>(statement: Statement<Values, Row>, values: NoInfer<Values>): Promise<Row[]> {
    await this.#reach(statement.name);
    const rows = await this.#database.run(statement, values);
    await this.lateAnswers.get(statement.name);
    return rows;
  }

  async #reach(statement: string): Promise<void> {
    if (this.isBroken) {
      this.refused += 1;
      throw new AppError("unavailable", "The service is not available right now.");
    }
    await this.delays.get(statement);
  }
}
