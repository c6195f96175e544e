/** How long calls wait for a connection of the pool. */
export class ConnectionWaits {
  /** When the waits in progress began, the oldest first. */
  readonly #waiting = new Set<{ readonly sinceMs: number }>();
  #leastMs = Number.POSITIVE_INFINITY;
  /** The waits that have ended. */
  readonly total = { count: 0, seconds: 0 };

  /** Measures one wait. */
  async measure<T>(connect: () => Promise<T>): Promise<T> {
    const wait = { sinceMs: performance.now() };
    this.#waiting.add(wait);
    try {
      return await connect();
    } finally {
      this.#waiting.delete(wait);
      const ms = performance.now() - wait.sinceMs;
      this.#leastMs = Math.min(this.#leastMs, ms);
      this.total.count += 1;
      this.total.seconds += ms / 1_000;
    }
  }

  /** The shortest wait that ended since this was asked last. If none did, the age of the oldest in progress, or 0. */
  takeStandingMs(): number {
    const leastMs = this.#leastMs;
    this.#leastMs = Number.POSITIVE_INFINITY;
    return Number.isFinite(leastMs) ? leastMs : this.oldestMs;
  }

  /** How many calls wait. */
  get count(): number {
    return this.#waiting.size;
  }

  /** How long the call has waited that waits longest. 0 if none waits. */
  get oldestMs(): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }
}
