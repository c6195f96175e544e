import type { Clock } from "../../clock.ts";

/**
 * When a key expires, by the database's clock, kept by the server's own clocks so that every request can ask without the
 * database. The monotonic clock stands still while a machine is suspended and the wall clock can be set back: whichever gets
 * there first decides.
 */
export class KeyExpiry {
  readonly #clock: Clock;
  readonly #monotonicMs: number;
  readonly #wallMs: number;

  private constructor(clock: Clock, monotonicMs: number, wallMs: number) {
    this.#clock = clock;
    this.#monotonicMs = monotonicMs;
    this.#wallMs = wallMs;
  }

  /**
   * Call it before asking the database how many milliseconds are left: the expiry is then early by the time that the answer
   * took, and never late.
   */
  static measuredFrom(clock: Clock): (msLeft: number) => KeyExpiry {
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.now().getTime();
    return (msLeft) => new KeyExpiry(clock, monotonicMs + msLeft, wallMs + msLeft);
  }

  get hasPassed(): boolean {
    return this.#clock.monotonicMs() >= this.#monotonicMs || this.#clock.now().getTime() >= this.#wallMs;
  }
}
