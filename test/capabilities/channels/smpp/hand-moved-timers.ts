import type { Timers } from "../../../../src/outbox/timers.ts";

/** Timers of a clock that stands still unless it is moved. */
export class HandMovedTimers implements Timers {
  #nowMs = 0;
  readonly #waiting = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  readonly monotonicMs = (): number => this.#nowMs;

  now(): Date {
    return new Date(Date.UTC(2026, 2, 1, 12) + this.#nowMs);
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(timer);
    return () => this.#waiting.delete(timer);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  /** Moves the clock, and runs what is due by then, once. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = [...this.#waiting].filter(({ dueMs }) => dueMs <= this.#nowMs);
    for (const timer of due.sort((one, other) => one.dueMs - other.dueMs)) {
      if (this.#waiting.delete(timer)) {
        timer.callback();
      }
    }
  }
}
