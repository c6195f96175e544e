import type { Clock } from "../clock.ts";
import type { Leftover, QuotaGrant } from "./quota-store.ts";

/** The moment a request to the database was about to be sent: whatever the database read on its clock, it read later. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.now().getTime() };
}

/** Tokens of one take, usable while the second that they are charged to lasts. */
export class QuotaBatch {
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

  /** Uses a token. False if there is none, or their time is over. */
  spend(now: Moment): boolean {
    if (this.#tokens === 0 || !this.isValid(now)) {
      return false;
    }
    this.#tokens -= 1;
    return true;
  }

  /** Takes back a token that was spent on a request which was refused after all. */
  giveBack(): void {
    this.#tokens += 1;
  }

  /** What the database gets back once the batch is put away. */
  get leftover(): Leftover | undefined {
    return this.#tokens === 0 ? undefined : { tokens: this.#tokens, chargedSecond: this.#chargedSecond };
  }
}
