import type { Clock } from "../../src/clock.ts";
import type { Database } from "../../src/database/database.ts";
import type { Timers } from "../../src/outbox/timers.ts";
import { querySql } from "../support/sql.ts";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Time that stands still unless moved: the server's, its timers', and the database's `byond_now()`. */
export class ManualClock implements Clock, Timers {
  readonly #startMs = Date.parse("2026-03-01T12:00:00.000Z");
  readonly #database: Database;
  #elapsedMs = 0;
  #timers: Timer[] = [];

  private constructor(database: Database) {
    this.#database = database;
  }

  static async create(database: Database): Promise<ManualClock> {
    const clock = new ManualClock(database);
    await clock.#moveDatabase();
    return clock;
  }

  now(): Date {
    return new Date(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#elapsedMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that wait to run. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Moves the time of everything, then runs the timers that are due by then. */
  async advance(ms: number): Promise<void> {
    this.#elapsedMs += ms;
    await this.#moveDatabase();
    const due = this.#timers.filter((timer) => timer.dueMs <= this.#elapsedMs);
    this.#timers = this.#timers.filter((timer) => timer.dueMs > this.#elapsedMs);
    for (const timer of due.sort((one, other) => one.dueMs - other.dueMs)) {
      timer.callback();
    }
  }

  async #moveDatabase(): Promise<void> {
    const name = `move_clock_${this.#elapsedMs}`;
    const text = `
      CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT timestamptz '${this.now().toISOString()}' $$`;
    await querySql(this.#database, { name, text }, []);
  }
}
