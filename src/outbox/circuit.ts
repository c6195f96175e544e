const failuresToPause = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 5_000;
const longestAskedPauseMs = 60_000;

/**
 * Spares a provider that keeps failing: after five failures in a row, or when it asks for it, nothing is sent for a
 * second, then a single message is tried; each failed trial doubles the pause, to 5 s at most, and the first success ends
 * it. A message refused is a success here: the provider works. What never reached the provider is neither: see `ProviderState`.
 */
export class Circuit {
  readonly #monotonicMs: () => number;
  #failures = 0;
  #pauses = 0;
  #pausedUntilMs = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** How many messages may be on their way at once: `limit`, 1 on trial, 0 during a pause. */
  places(limit: number): number {
    if (this.#pauses === 0) {
      return limit;
    }
    return this.#isPaused() ? 0 : 1;
  }

  /** The provider answered. True if that ended a pause. */
  succeeded(): boolean {
    const wasTripped = this.#pauses > 0;
    this.#failures = 0;
    this.#pauses = 0;
    return wasTripped;
  }

  /** The provider failed. The length of the pause that this begins, if it does. `askedMs`: it asked to be left alone so long. */
  failed(askedMs?: number): number | undefined {
    this.#failures += 1;
    // What was under way when the pause began fails during it; that is the same failure, not a further one.
    if (this.#isPaused() || (this.#failures < failuresToPause && this.#pauses === 0 && askedMs === undefined)) {
      return undefined;
    }
    const ownMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#pauses);
    const pauseMs = Math.max(ownMs, Math.min(longestAskedPauseMs, askedMs ?? 0));
    this.#pauses += 1;
    this.#pausedUntilMs = this.#monotonicMs() + pauseMs;
    return pauseMs;
  }

  #isPaused(): boolean {
    return this.#pauses > 0 && this.#monotonicMs() < this.#pausedUntilMs;
  }
}
