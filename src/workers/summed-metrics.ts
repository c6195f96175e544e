import { AggregatorRegistry } from "prom-client";
import type { MetricsSnapshot } from "./messages.ts";

/** How long a worker may take. One that is busy for longer counts with what it said last. */
const patienceMs = 2_000;

/**
 * The metrics of all workers: counters and histograms summed up, gauges as their `aggregator` says. What a worker that has ended had counted
 * when it was last asked stays in the sums: they never fall, which Prometheus would take for a restart of the whole server.
 */
export class SummedMetrics {
  readonly #ask: (workerId: number) => void;
  /** What each worker said last. */
  readonly #latest = new Map<number, MetricsSnapshot>();
  readonly #waiting = new Map<number, () => void>();
  readonly #gone = new Set<number>();
  #ended: readonly MetricsSnapshot[] = [];
  #collection: Promise<string> | undefined;

  /** `ask` asks a worker for its metrics; `received` is called with them. */
  constructor(ask: (workerId: number) => void) {
    this.#ask = ask;
  }

  /** In the text format of Prometheus. Whoever asks while the workers are being asked gets the same answer. */
  read(workerIds: readonly number[]): Promise<string> {
    this.#collection ??= this.#collect(workerIds).finally(() => {
      this.#collection = undefined;
    });
    return this.#collection;
  }

  received(workerId: number, metrics: MetricsSnapshot): void {
    // The channel of a killed worker may still hold what it said: it would be counted beside what is kept of it.
    if (this.#gone.has(workerId)) {
      return;
    }
    this.#latest.set(workerId, metrics);
    this.#waiting.get(workerId)?.();
  }

  /** No more will be heard of a worker. */
  ended(workerId: number): void {
    // The type is a word, whatever prom-client's types say.
    const counted = this.#latest.get(workerId)?.filter(({ type }) => String(type) !== "gauge") ?? [];
    this.#latest.delete(workerId);
    this.#gone.add(workerId);
    this.#ended = [...this.#ended, counted];
    this.#waiting.get(workerId)?.();
  }

  async #collect(workerIds: readonly number[]): Promise<string> {
    await Promise.all(workerIds.map((id) => this.#refresh(id)));
    const ended = this.#ended;
    const inOne = await AggregatorRegistry.aggregate([...ended]).getMetricsAsJSON();
    // Others may have ended in the meantime.
    this.#ended = [inOne, ...this.#ended.slice(ended.length)];
    return AggregatorRegistry.aggregate([...this.#ended, ...this.#latest.values()]).metrics();
  }

  #refresh(workerId: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(workerId, resolve);
    const timer = setTimeout(resolve, patienceMs);
    this.#ask(workerId);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(workerId);
    });
  }
}
