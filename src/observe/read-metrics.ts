import { type Aggregator, Counter, Gauge } from "prom-client";

/**
 * Metrics whose values are kept as plain numbers where things happen, and are read when somebody asks: counting costs an addition. In no register
 * (`registers: []`).
 */

/** What has one value, or one for each combination of labels. */
export type Reading<Label extends string> = Iterable<readonly [labels: Readonly<Record<Label, string>>, value: number]>;

/** `aggregator`: how the values of several processes (`WORKERS`) become one. */
export function readGauge(name: string, aggregator: Aggregator, help: string, read: () => number): Gauge {
  return new Gauge({
    name,
    help,
    aggregator,
    registers: [],
    collect() {
      this.set(read());
    },
  });
}

export function readCounter(name: string, help: string, read: () => number): Counter {
  return new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** A counter with labels, whose values come from a closed set. */
export function readCounters<Label extends string>(
  name: string,
  help: string,
  labelNames: readonly Label[],
  read: () => Reading<Label>,
): Counter {
  return new Counter({
    name,
    help,
    labelNames,
    registers: [],
    collect() {
      this.reset();
      for (const [labels, value] of read()) {
        this.inc({ ...labels }, value);
      }
    },
  });
}
