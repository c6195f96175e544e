/** How long calls wait for a connection of the pool. */
export class ConnectionWaits {
  /** When the waits in progress began, the oldest first. */
  readonly #waiting = new Set<{ readonly sinceMs: number }>();
  #leastMs = Number.POSITIVE_INFINITY;

  /** Measures one wait. */
  async measure<T>(connect: () => Promise<T>): Promise<T> {
    const wait = { sinceMs: performance.now() };
    this.#waiting.add(wait);
    try {
      return await connect();
    } finally {
      this.#waiting.delete(wait);
      this.#leastMs = Math.min(this.#leastMs, performance.now() - wait.sinceMs);
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
