import pg from "pg";
import type { Clock } from "../../src/clock.ts";

/** A clock that tests move, together with the clock of their database. */
export class TestTime implements Clock {
  readonly #client: pg.Client;
  #connected: Promise<unknown> | undefined;
  #offsetMs = 0;

  constructor(databaseUrl: string) {
    this.#client = new pg.Client({ connectionString: databaseUrl });
    this.#client.on("error", () => {});
  }

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  monotonicMs(): number {
    return performance.now() + this.#offsetMs;
  }

  /** Moves both clocks on. */
  async advance({ seconds }: { readonly seconds: number }): Promise<void> {
    this.#offsetMs += seconds * 1000;
    this.#connected ??= this.#client.connect();
    await this.#connected;
    await this.#client.query(`
      CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS 'SELECT clock_timestamp() + interval ''${this.#offsetMs} milliseconds'''`);
  }

  async close(): Promise<void> {
    if (this.#connected !== undefined) {
      await this.#client.end();
    }
  }
}
