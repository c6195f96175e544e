export interface StandingDelayOptions {
  /** The delay that may stand. */
  readonly targetMs: number;
  /** For how long it must have been longer. */
  readonly patienceMs: number;
}

/** A single long delay, such as a garbage collection's, leaves a queue that becomes shorter. */
const minSamples = 3;

/**
 * Tells a queue that stands from one that is being worked off: a delay that was above the target for some time, each time that it was
 * measured, and is no shorter than it was at first. CoDel tells them apart by the least delay of some time (RFC 8289 §3.1).
 */
export class StandingDelay {
  readonly #options: StandingDelayOptions;
  /** Since the delay is above the target. */
  #stretch: { readonly sinceMs: number; readonly firstMs: number; samples: number } | undefined;
  #isStanding = false;

  constructor(options: StandingDelayOptions) {
    this.#options = options;
  }

  get isStanding(): boolean {
    return this.#isStanding;
  }

  /** Takes a measured delay. */
  observe(delayMs: number, nowMs: number): void {
    const { targetMs, patienceMs } = this.#options;
    this.#isStanding = false;
    if (delayMs <= targetMs) {
      this.#stretch = undefined;
      return;
    }
    this.#stretch ??= { sinceMs: nowMs, firstMs: delayMs, samples: 0 };
    const stretch = this.#stretch;
    stretch.samples += 1;
    this.#isStanding =
      stretch.samples >= minSamples && nowMs - stretch.sinceMs >= patienceMs && delayMs >= stretch.firstMs;
  }
}
