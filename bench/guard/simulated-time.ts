import pg from "pg";
import type { Clock } from "../../src/clock.ts";
import { outboxChannel } from "../../src/outbox/outbox.policy.ts";

/** A clock of the server and of its database that only moves when it is told to. */
export class SimulatedTime implements Clock, AsyncDisposable {
  readonly #client: pg.Client;
  readonly #beganAtMs = Date.now();
  #seconds = 0;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Takes the place of the database's clock. Call it when the schema is there. */
  static async begin(databaseUrl: string): Promise<SimulatedTime> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    const time = new SimulatedTime(client);
    // Replacing the function with each step would have all statements planned again.
    await client.query("CREATE TABLE simulated_time (at timestamptz NOT NULL)");
    await client.query("INSERT INTO simulated_time VALUES ($1)", [time.now()]);
    await client.query(`
      CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS 'SELECT at FROM simulated_time'`);
    return time;
  }

  now(): Date {
    return new Date(this.#beganAtMs + this.#seconds * 1_000);
  }

  monotonicMs(): number {
    return performance.now() + this.#seconds * 1_000;
  }

  /** The number of seconds since the beginning. */
  async moveTo(seconds: number): Promise<void> {
    this.#seconds = seconds;
    await this.#client.query("UPDATE simulated_time SET at = $1", [this.now()]);
    await this.#client.query(`NOTIFY ${outboxChannel}`);
  }

  /** Gives positions to all events, as servers do within a moment. */
  async numberEvents(): Promise<void> {
    for (;;) {
      const { rows } = await this.#client.query("SELECT moved FROM number_events(0, 1000)");
      if (rows[0].moved === 0) {
        return;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
