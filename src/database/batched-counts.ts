import { AppError } from "../errors.ts";
import { withoutDeadline } from "./call-deadline.ts";

interface Batches<Held> {
  readonly intervalMs: number;
  readonly batchSize: number;
  /** Answers all that is held, and holds it no longer. */
  readonly take: () => Held[];
  /** Holds a count again that was not added. */
  readonly hold: (held: Held) => void;
  /** Adds counts to the database, in a statement. */
  readonly add: (batch: readonly Held[]) => Promise<unknown>;
  /** Told what nobody can tell of whether it was added: it is not added again. */
  readonly drop: (batch: readonly Held[], error: unknown) => void;
}

/** Adds counts that a server holds to the database, at an interval and in batches: nothing is counted twice. */
export class BatchedCounts<Held> {
  readonly #batches: Batches<Held>;
  readonly #timer: NodeJS.Timeout;
  #flushing: Promise<void> = Promise.resolve();

  constructor(batches: Batches<Held>) {
    this.#batches = batches;
    this.#timer = setInterval(() => void this.flush(), batches.intervalMs).unref();
  }

  /** Adds what was counted before. Never rejects: what the database did not take is added the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Adds the rest, and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #flush(): Promise<void> {
    const { take, hold, batchSize } = this.#batches;
    const waiting = take();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize);
      if (!(await this.#add(batch))) {
        // The database is away: what comes after it would wait as long.
        [...batch, ...waiting.splice(0)].forEach(hold);
      }
    }
  }

  /** Answers false if nothing was added, so that it can be tried again. */
  async #add(batch: readonly Held[]): Promise<boolean> {
    try {
      await withoutDeadline(() => this.#batches.add(batch));
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === "unavailable") {
        return false;
      }
      this.#batches.drop(batch, error);
      return true;
    }
  }
}
