/** Priority class. `signUp` never takes the last slot. */
export type LaneName = "known" | "strangers" | "signUp";

/** Whose work it is. Work without a source counts as that of one source. The default lane is `known`. */
export interface Turn {
  readonly lane?: LaneName;
  /** Who asks, such as a network. Sources take turns, however much each of them asks for. */
  readonly source?: string;
}

export interface FairQueueOptions {
  /** How much work runs at once. */
  readonly concurrency: number;
  /** How much work of one lane may wait. */
  readonly maxWaiting: number;
  /** The longest that work waits. */
  readonly maxWaitMs: number;
  /** The error for work that cannot wait, or has waited too long. */
  readonly busy: () => Error;
}

interface WaitingWork {
  readonly source: string;
  readonly begin: () => void;
  readonly refuse: () => void;
}

interface Lane {
  readonly maxRunning: number;
  running: number;
  waiting: number;
  /** By source, in the order in which they are served next. */
  readonly sources: Map<string, readonly WaitingWork[]>;
}

/**
 * Runs a bounded amount of work at once. The lanes take turns, and so do the sources within a lane: nobody is kept out by how
 * much others ask for. When a lane is full, the source with the most waiting work loses its newest.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #lanes: Readonly<Record<LaneName, Lane>>;
  /** Lanes in the order in which they are served next. */
  #order: readonly Lane[];
  #running = 0;
  #finished = 0;
  #refused = 0;

  constructor(options: FairQueueOptions) {
    const { concurrency } = options;
    const lane = (maxRunning: number): Lane => ({ maxRunning, running: 0, waiting: 0, sources: new Map() });
    this.#options = options;
    this.#lanes = {
      known: lane(concurrency),
      strangers: lane(concurrency),
      signUp: lane(Math.max(1, concurrency - 1)),
    };
    this.#order = Object.values(this.#lanes);
  }

  /** Runs `work` when its turn comes. Throws `busy()` if that takes too long, or if too much work is waiting already. */
  async run<T>(work: () => Promise<T>, { lane: laneName = "known", source = "" }: Turn = {}): Promise<T> {
    const lane = this.#lanes[laneName];
    if (this.#hasPlace(lane)) {
      this.#take(lane);
    } else {
      await this.#wait(lane, source);
    }
    try {
      return await work();
    } finally {
      lane.running -= 1;
      this.#running -= 1;
      this.#finished += 1;
      this.#beginNext();
    }
  }

  get running(): number {
    return this.#running;
  }

  /** Work of all lanes that waits. */
  get waiting(): number {
    return this.#order.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** Work that was run, and work that was not, since the queue was made. */
  get finished(): number {
    return this.#finished;
  }

  get refused(): number {
    return this.#refused;
  }

  #refuse(): Error {
    this.#refused += 1;
    return this.#options.busy();
  }

  #hasPlace(lane: Lane): boolean {
    return this.#running < this.#options.concurrency && lane.running < lane.maxRunning;
  }

  #take(lane: Lane): void {
    lane.running += 1;
    this.#running += 1;
  }

  #wait(lane: Lane, source: string): Promise<void> {
    if (lane.waiting >= this.#options.maxWaiting && !makeRoom(lane, source)) {
      return Promise.reject(this.#refuse());
    }
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        remove(lane, work);
        reject(this.#refuse());
      }, this.#options.maxWaitMs);
      const work: WaitingWork = {
        source,
        begin() {
          clearTimeout(timer);
          resolve();
        },
        refuse: () => {
          clearTimeout(timer);
          reject(this.#refuse());
        },
      };
      lane.waiting += 1;
      lane.sources.set(source, [...(lane.sources.get(source) ?? []), work]);
    });
  }

  #beginNext(): void {
    const lane = this.#order.find((candidate) => candidate.waiting > 0 && this.#hasPlace(candidate));
    const [next] = lane?.sources.values().next().value ?? [];
    if (lane === undefined || next === undefined) {
      return;
    }
    this.#order = [...this.#order.filter((other) => other !== lane), lane];
    const rest = remove(lane, next);
    if (rest.length > 0) {
      // The source goes to the end of the queue.
      lane.sources.delete(next.source);
      lane.sources.set(next.source, rest);
    }
    this.#take(lane);
    next.begin();
  }
}

/** Refuses the newest work of the source with the most waiting. False if no source has more than the one that asks. */
function makeRoom(lane: Lane, source: string): boolean {
  const longest = [...lane.sources.values()].reduce((one, other) => (other.length > one.length ? other : one), []);
  const newest = longest.at(-1);
  if (newest === undefined || longest.length <= (lane.sources.get(source)?.length ?? 0) + 1) {
    return false;
  }
  remove(lane, newest);
  newest.refuse();
  return true;
}

/** Removes waiting work. Returns what its source still has waiting. */
function remove(lane: Lane, work: WaitingWork): readonly WaitingWork[] {
  const rest = (lane.sources.get(work.source) ?? []).filter((other) => other !== work);
  lane.waiting -= 1;
  if (rest.length === 0) {
    lane.sources.delete(work.source);
  } else {
    lane.sources.set(work.source, rest);
  }
  return rest;
}
