import pg from "pg";
import type { Clock } from "../../src/clock.ts";
import { outboxChannel } from "../../src/outbox/outbox.policy.ts";

const running = "clock_timestamp()";

/** A clock that tests move, together with the clock of their database. */
export class TestTime implements Clock {
  readonly #client: pg.Client;
  #connected: Promise<unknown> | undefined;
  #offsetMs = 0;
  /** SQL of the time that the database's clock starts from. */
  #origin = running;

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

  /** Advances both clocks. Servers look at once for messages that are due by now, and not only with their next poll. */
  async advance({ seconds }: { readonly seconds: number }): Promise<void> {
    this.#offsetMs += seconds * 1000;
    await this.#setDatabase();
    await this.#client.query(`NOTIFY ${outboxChannel}`);
  }

  /** Until `releaseDatabase`, the database's clock only moves by `advance`: no limit refills, however slow the machine is. */
  async holdDatabase(): Promise<void> {
    this.#origin = `timestamptz '${new Date().toISOString()}'`;
    await this.#setDatabase();
  }

  async releaseDatabase(): Promise<void> {
    this.#origin = running;
    await this.#setDatabase();
  }

  async close(): Promise<void> {
    if (this.#connected !== undefined) {
      await this.#client.end();
    }
  }

  async #setDatabase(): Promise<void> {
    this.#connected ??= this.#client.connect();
    await this.#connected;
    await this.#client.query(`
      CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT ${this.#origin} + interval '${this.#offsetMs} milliseconds' $$`);
  }
}
