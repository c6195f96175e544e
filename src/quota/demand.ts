const slots = 10;
const slotMs = 1_000;

/** Counts what one server admits, by the second, for the last ten seconds of its monotonic clock. */
export class DemandMeter {
  readonly #counts = new Array<number>(slots).fill(0);
  #newestSlot = 0;

  note(monotonicMs: number): void {
    const index = this.#advance(monotonicMs) % slots;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** The demand of a second: that of the last whole one, or of the one that has begun where it is larger already. */
  lastSecond(monotonicMs: number): number {
    const newest = this.#advance(monotonicMs);
    return Math.max(this.#counts[newest % slots] ?? 0, this.#counts[(newest + slots - 1) % slots] ?? 0);
  }

  lastTenSeconds(monotonicMs: number): number {
    this.#advance(monotonicMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Empties the slots that time has passed by, and returns the newest. */
  #advance(monotonicMs: number): number {
    const newest = Math.max(this.#newestSlot, Math.floor(monotonicMs / slotMs));
    for (let slot = Math.max(this.#newestSlot + 1, newest - slots + 1); slot <= newest; slot += 1) {
      this.#counts[slot % slots] = 0;
    }
    this.#newestSlot = newest;
    return newest;
  }
}

/** What a server asks for beyond the requests that wait for an answer. */
export interface BatchWish {
  /** Tokens for requests to come. */
  readonly spare: number;
  /** How long the batch must be usable at least, from when the database hands it out. */
  readonly lifeMs: number;
}

/** So that a batch taken at the very end of a second is not over before it arrives: it is charged to the next one. */
const shortLifeMs = 50;
export const longLifeMs = 9_000;

export interface DemandView {
  readonly limitPerMinute: number;
  /** What all servers together had been charged when this one last asked. Undefined: not known. */
  readonly used: number | undefined;
  /** Requests that wait for an answer. */
  readonly needed: number;
  readonly lastSecond: number;
  readonly lastTenSeconds: number;
}

/**
 * How large a batch to ask for. As a rule the demand of a second. At low use (less than half of the limit, a few requests
 * a second) what ten seconds need, but never more than a hundredth of the limit: such a batch is charged for up to 9
 * seconds longer, which a workspace near its limit would feel.
 */
export function wishFor(demand: DemandView): BatchWish {
  const isLowUse = demand.used !== undefined && demand.used < demand.limitPerMinute / 2;
  const longBatch = isLowUse ? Math.min(demand.lastTenSeconds, Math.floor(demand.limitPerMinute / 100)) : 0;
  if (longBatch > demand.lastSecond && longBatch > demand.needed) {
    return { spare: longBatch - demand.needed, lifeMs: longLifeMs };
  }
  return { spare: Math.max(0, demand.lastSecond - demand.needed), lifeMs: shortLifeMs };
}
