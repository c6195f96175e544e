/** Locks by name, granted in the order in which they were asked for. */
export class Locks {
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Calls `then` when the lock is held, which may be at once. */
  take(name: string, then: () => void): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) {
      this.#waiting.set(name, []);
      then();
    } else {
      waiting.push(then);
    }
  }

  /** Takes several, in an order that cannot deadlock. */
  takeAll(names: readonly string[], then: () => void): void {
    const takeFrom = (sorted: readonly string[]) => {
      const [first, ...rest] = sorted;
      if (first === undefined) {
        then();
      } else {
        this.take(first, () => takeFrom(rest));
      }
    };
    takeFrom([...names].sort());
  }

  release(...names: readonly string[]): void {
    for (const name of names) {
      const next = this.#waiting.get(name)?.shift();
      if (next === undefined) {
        this.#waiting.delete(name);
      } else {
        next();
      }
    }
  }
}
