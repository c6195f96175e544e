import { circuitLimits } from "./outbox.policy.ts";

const { failures, firstPauseMs, longestPauseMs, longestRequestedPauseMs } = circuitLimits;

/**
 * A circuit breaker: stops sending to a provider that keeps failing.
 *
 * States:
 *
 * - **closed**: as many messages at once as the lane allows. The state at the beginning.
 * - **open** (a pause): nothing is sent.
 * - **half-open** (a trial): one message at a time.
 *
 * Transitions:
 *
 * - closed → open: five failures in a row, or the provider asks for a pause (`Retry-After`).
 * - open → half-open: the pause is over. It lasts 1 s, and as long as the provider asked for where that is longer.
 * - half-open → open: the trial fails. Each time the pause doubles, to 5 s at most.
 * - open or half-open → closed: a message is answered.
 *
 * A message that the provider refuses is an answer: the provider works. An attempt that never reached the provider is neither
 * answer nor failure (`ProviderState`), and changes nothing.
 */
export class Circuit {
  readonly #monotonicMs: () => number;
  #failures = 0;
  #pauses = 0;
  #pausedUntilMs = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Whether it is as it was made: closed, and without failures. */
  get isUnused(): boolean {
    return this.#failures === 0 && this.#pauses === 0;
  }

  /** How long the pause still lasts. 0: it is not open. */
  get pauseLeftMs(): number {
    return this.#pauses === 0 ? 0 : Math.max(0, this.#pausedUntilMs - this.#monotonicMs());
  }

  /** How many messages may be sent at once: `limit` when closed, 1 when half-open, 0 when open. */
  places(limit: number): number {
    if (this.#pauses === 0) {
      return limit;
    }
    return this.#isPaused() ? 0 : 1;
  }

  /** The provider answered. Returns whether that closed the circuit. */
  succeeded(): boolean {
    const wasOpen = this.#pauses > 0;
    this.#failures = 0;
    this.#pauses = 0;
    return wasOpen;
  }

  /**
   * The provider failed, and asked for a pause of `requestedMs` if that is given. Returns the length of the pause that this
   * begins, or undefined if it begins none.
   */
  failed(requestedMs?: number): number | undefined {
    this.#failures += 1;
    // Attempts that were being made when the pause began fail during it: they belong to the failure that began it.
    if (this.#isPaused() || (this.#failures < failures && this.#pauses === 0 && requestedMs === undefined)) {
      return undefined;
    }
    const ownMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#pauses);
    const pauseMs = Math.max(ownMs, Math.min(longestRequestedPauseMs, requestedMs ?? 0));
    this.#pauses += 1;
    this.#pausedUntilMs = this.#monotonicMs() + pauseMs;
    return pauseMs;
  }

  #isPaused(): boolean {
    return this.#pauses > 0 && this.#monotonicMs() < this.#pausedUntilMs;
  }
}
