import type { Clock } from "../clock.ts";
import { longBatchDivisor, lowUseDivisor, maxBatchLifeMs, minBatchLifeMs } from "./quota.policy.ts";
import type { Leftover, QuotaGrant } from "./quota-store.ts";

/** The moment before a request is sent to the database, which reads its own clock later than that. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.now().getTime() };
}

/** Tokens of one reservation, usable until the end of the second that they are charged to. */
export class TokenBatch {
  #tokens: number;
  readonly #chargedSecond: number;
  readonly #sentAt: Moment;
  readonly #validMs: number;

  constructor(grant: QuotaGrant, sentAt: Moment) {
    this.#tokens = grant.tokens;
    this.#chargedSecond = grant.chargedSecond;
    this.#sentAt = sentAt;
    // One thousandth less: our clock and the database's need not run at exactly the same speed.
    this.#validMs = ((grant.chargedSecond + 1) * 1_000 - grant.takenAtMs) * 0.999;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Both clocks must agree: the monotonic one may stand still while a machine is suspended, the other may be set back. */
  isValid(now: Moment): boolean {
    return (
      now.monotonicMs - this.#sentAt.monotonicMs < this.#validMs && now.wallMs - this.#sentAt.wallMs < this.#validMs
    );
  }

  /** Uses a token. False if there is none, or the batch has expired. */
  spend(now: Moment): boolean {
    if (this.#tokens === 0 || !this.isValid(now)) {
      return false;
    }
    this.#tokens -= 1;
    return true;
  }

  /** Returns a token that was spent on a request which another limit refused. */
  release(): void {
    this.#tokens += 1;
  }

  /** The tokens to return to the database, if there are any. */
  get leftover(): Leftover | undefined {
    return this.#tokens === 0 ? undefined : { tokens: this.#tokens, chargedSecond: this.#chargedSecond };
  }
}

/** Of the meter: seconds that it remembers. */
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

/** What a server asks for in addition to the tokens of the requests that wait. */
export interface BatchRequest {
  /** Tokens for requests to come. */
  readonly spare: number;
  /** How long the batch must be usable at least, from when the database hands it out. */
  readonly lifeMs: number;
}

export interface DemandView {
  readonly limitPerMinute: number;
  /** Tokens charged to all servers together when this one last reserved some. Undefined: not known. */
  readonly used: number | undefined;
  /** Requests that wait for an answer. */
  readonly needed: number;
  readonly lastSecond: number;
  readonly lastTenSeconds: number;
}

/**
 * How large a batch to ask for: the demand of one second. At low use (less than half of the limit, a few requests a second),
 * the demand of ten seconds, but never more than a hundredth of the limit: such a batch is charged for up to 9 seconds longer,
 * which would refuse requests of a workspace near its limit.
 */
export function nextBatch(demand: DemandView): BatchRequest {
  const isLowUse = demand.used !== undefined && demand.used < demand.limitPerMinute / lowUseDivisor;
  const longBatch = isLowUse
    ? Math.min(demand.lastTenSeconds, Math.floor(demand.limitPerMinute / longBatchDivisor))
    : 0;
  if (longBatch > demand.lastSecond && longBatch > demand.needed) {
    return { spare: longBatch - demand.needed, lifeMs: maxBatchLifeMs };
  }
  return { spare: Math.max(0, demand.lastSecond - demand.needed), lifeMs: minBatchLifeMs };
}
