import type { Clock } from "../../clock.ts";

/**
 * A moment of the database's clock, told by the server's own, so that it can be asked for on every request without the
 * database. By the monotonic clock and by the wall clock, whichever gets there first: the former stands still while a
 * machine is suspended.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #monotonicMs: number;
  readonly #wallMs: number;

  private constructor(clock: Clock, monotonicMs: number, wallMs: number) {
    this.#clock = clock;
    this.#monotonicMs = monotonicMs;
    this.#wallMs = wallMs;
  }

  /**
   * Call it before the database is asked how many milliseconds are left: what it then says was true later, so that the
   * deadline is early by the time that the question took, and never late.
   */
  static measuredFrom(clock: Clock): (msLeft: number) => Deadline {
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.now().getTime();
    return (msLeft) => new Deadline(clock, monotonicMs + msLeft, wallMs + msLeft);
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#monotonicMs || this.#clock.now().getTime() >= this.#wallMs;
  }
}
