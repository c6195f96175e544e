import type { Clock } from "../../clock.ts";
import { withinTime } from "../../database/call-deadline.ts";
import { unavailable } from "../../database/database-errors.ts";
import { minCharges, reserveDemandMs } from "./balance.policy.ts";
import { type Content, type Hold, Reserve } from "./reserve.ts";
import type { RefusedReserve, ReserveStore, Spender } from "./reserve-store.ts";

/** What was given back to something by closing reserves, in all. */
export interface Returns {
  givenBack: number;
}

/** That a reserve was refused. */
export interface Refusal {
  readonly refused: RefusedReserve;
  /** What had been given back when it was asked for, to the wallet and by this share. What came later may not be in what was left. */
  readonly ofWallet: number;
  readonly ofShare: number;
}

/** A reserve that is being taken in the database. */
export interface Taking {
  /** Ahead of need, so that it takes only a part of what is left. Otherwise for calls that wait, the first of which costs `price`. */
  readonly isAhead: boolean;
  readonly price: number;
  /** Undefined: it was taken. */
  readonly refusal: Promise<Refusal | undefined>;
}

interface Dependencies {
  readonly store: ReserveStore;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/**
 * What this server has of a wallet for one spender. It alone keeps reserves: from when they are taken until they are closed. Nothing is taken
 * while two are usable or one is being taken, so that there are never more than two.
 */
export class Share implements Returns {
  givenBack = 0;
  readonly #deps: Dependencies;
  readonly #spender: Spender;
  readonly #wallet: Returns;
  /** All that are not closed, oldest first. */
  readonly #open = new Set<Reserve>();
  #taking: Taking | undefined;
  /** Calls that need this share to be kept, and what those that wait for a reserve need. */
  #callers = 0;
  #waiting = 0;
  /** No reserve is taken ahead before: the last one was refused. */
  #aheadFromMs = Number.NEGATIVE_INFINITY;
  /** How fast the last reserve was used up. */
  #perMs = 0;

  constructor(deps: Dependencies, spender: Spender, wallet: Returns) {
    this.#deps = deps;
    this.#spender = spender;
    this.#wallet = wallet;
  }

  get open(): readonly Reserve[] {
    return [...this.#open];
  }

  get taking(): Taking | undefined {
    return this.#taking;
  }

  /** Whether there is nothing here, and nobody comes back for it. */
  get isIdle(): boolean {
    return this.#open.size === 0 && this.#taking === undefined && this.#callers === 0;
  }

  async whileCalled<T>(work: () => Promise<T>): Promise<T> {
    this.#callers += 1;
    try {
      return await work();
    } finally {
      this.#callers -= 1;
    }
  }

  /** Holds an amount of the first reserve that has it. Those that do not are retired. */
  hold(amount: number): Hold | undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const reserve of this.#open) {
      const hold = reserve.hold(amount, nowMs);
      if (hold !== undefined) {
        if (reserve.isLow && this.#mayTakeAhead(nowMs)) {
          this.#takeAhead(amount);
        }
        return hold;
      }
    }
    return undefined;
  }

  /**
   * Waits until a reserve is taken, for others, too. Call it when `hold` has found nothing. Answers why it was refused, if that says something
   * about this call: not if it was asked before the call came (`before`), or for what costs more.
   */
  async take(amount: number, before: Taking | undefined): Promise<Refusal | undefined> {
    this.#waiting += amount;
    try {
      this.#taking ??= this.#begin(amount, { isAhead: false });
      const { isAhead, price } = this.#taking;
      const isMeant = !isAhead && price <= amount && this.#taking !== before;
      const refusal = await withinTime(this.#taking.refusal);
      return isMeant ? refusal : undefined;
    } finally {
      this.#waiting -= amount;
    }
  }

  tidy(nowMs: number): void {
    for (const reserve of this.#open) {
      reserve.tidy(nowMs);
    }
  }

  #mayTakeAhead(nowMs: number): boolean {
    const usable = [...this.#open].filter(({ isUsable }) => isUsable);
    return usable.length < 2 && this.#taking === undefined && nowMs >= this.#aheadFromMs;
  }

  #takeAhead(price: number): void {
    const wait = () => {
      this.#aheadFromMs = this.#deps.clock.monotonicMs() + reserveDemandMs;
    };
    this.#taking = this.#begin(price, { isAhead: true });
    void this.#taking.refusal.then((refusal) => void (refusal !== undefined && wait()), wait);
  }

  #begin(price: number, { isAhead }: Pick<Taking, "isAhead">): Taking {
    const refusal = this.#takeNew(price, isAhead ? 0 : this.#waiting).finally(() => {
      this.#taking = undefined;
    });
    return { isAhead, price, refusal };
  }

  async #takeNew(price: number, needed: number): Promise<Refusal | undefined> {
    const { store, clock } = this.#deps;
    const before = { ofWallet: this.#wallet.givenBack, ofShare: this.givenBack };
    const takenAtMs = clock.monotonicMs();
    const speeds = [...this.#open].filter(({ isUsable }) => isUsable).map((reserve) => reserve.perMs(takenAtMs));
    const perMs = Math.max(this.#perMs, ...speeds);
    const wanted = Math.ceil(Math.max(price * minCharges, needed, perMs * reserveDemandMs));
    const taken = await store.take(this.#spender, { price, needed, wanted });
    if (taken.outcome === "unknown") {
      // It is closed as if it was taken. Nothing is held of it: the calls that wait for it have had no effect.
      this.#keep({ id: taken.id, amount: wanted, lastsMs: 0 }, takenAtMs).retire();
      throw unavailable(new Error("nobody can tell whether a reserve was taken"));
    }
    if (taken.outcome !== "taken") {
      return { refused: taken, ...before };
    }
    const reserve = this.#keep(taken, takenAtMs, () => {
      this.#perMs = reserve.perMs(clock.monotonicMs());
    });
    return undefined;
  }

  #keep(taken: Content, takenAtMs: number, onRetired: () => void = () => undefined): Reserve {
    const reserve: Reserve = new Reserve(taken, takenAtMs, {
      close: () => this.#deps.store.close(this.#spender.workspaceId, taken.id),
      onRetired,
      onClosed: () => {
        this.#open.delete(reserve);
        this.#wallet.givenBack += reserve.unused;
        this.givenBack += reserve.unused;
      },
    });
    this.#open.add(reserve);
    return reserve;
  }
}
