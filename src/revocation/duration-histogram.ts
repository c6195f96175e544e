/** How often something took how long, in the form that Prometheus reads. */
export interface HistogramSnapshot {
  /** How many took at most `atMostMs`; the last bound is infinite. */
  readonly buckets: readonly { readonly atMostMs: number; readonly count: number }[];
  readonly sumMs: number;
  readonly count: number;
}

const boundsMs = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, Number.POSITIVE_INFINITY];

/** Counts durations by how long they are. */
export class DurationHistogram {
  readonly #counts = boundsMs.map(() => 0);
  #sumMs = 0;
  #count = 0;

  observe(durationMs: number): void {
    boundsMs.forEach((atMostMs, index) => {
      if (durationMs <= atMostMs) {
        this.#counts[index] = (this.#counts[index] ?? 0) + 1;
      }
    });
    this.#sumMs += durationMs;
    this.#count += 1;
  }

  snapshot(): HistogramSnapshot {
    return {
      buckets: boundsMs.map((atMostMs, index) => ({ atMostMs, count: this.#counts[index] ?? 0 })),
      sumMs: this.#sumMs,
      count: this.#count,
    };
  }
}
