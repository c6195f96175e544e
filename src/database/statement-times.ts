/** What the runs of one statement add up to. */
export interface StatementTime {
  runs: number;
  failures: number;
  seconds: number;
}

/** There are some hundreds of statements. Parts of them can be combined in more ways than anybody wants to look at. */
const maxNames = 500;

/** How often each statement was run on PostgreSQL, and how long its answers took: without the wait for a connection. */
export class StatementTimes {
  readonly #byName = new Map<string, StatementTime>();

  /** `name`: undefined for queries on tables, which count as one. */
  async measure<T>(name: string | undefined, run: () => Promise<T>): Promise<T> {
    const time = this.#of(name ?? "query");
    const startedMs = performance.now();
    try {
      return await run();
    } catch (error) {
      time.failures += 1;
      throw error;
    } finally {
      time.runs += 1;
      time.seconds += (performance.now() - startedMs) / 1_000;
    }
  }

  [Symbol.iterator](): IterableIterator<[string, StatementTime]> {
    return this.#byName.entries();
  }

  #of(name: string): StatementTime {
    const known = this.#byName.get(name);
    if (known !== undefined) {
      return known;
    }
    if (this.#byName.size >= maxNames && name !== "other") {
      return this.#of("other");
    }
    const time = { runs: 0, failures: 0, seconds: 0 };
    this.#byName.set(name, time);
    return time;
  }
}
