import type { Awaitable } from "../../awaitable.ts";
import type { Clock } from "../../clock.ts";
import { withinTime } from "../../database/call-deadline.ts";
import { AppError } from "../../errors.ts";
import { closingIntervalMs, lowShare, maxTries, minCharges, reserveDemandMs } from "./balance.policy.ts";
import type { RefusedReserve, ReserveStore, Spender } from "./reserve-store.ts";

/** An amount of a reserve that something is about to be charged to. One of its functions is to be called; what is called after that does nothing. */
export interface Hold {
  readonly reserveId: string;
  readonly amount: number;
  /** It was charged, but for a part, or nobody knows. */
  spent(unused?: number): void;
  /** It was not charged. */
  giveBack(): void;
  /** It could not be charged, because the reserve is closed. */
  refused(): void;
}

interface Reserve {
  readonly id: string;
  readonly share: Share;
  readonly amount: number;
  readonly takenAtMs: number;
  readonly endsAtMs: number;
  rest: number;
  /** Holds that are not settled, and their sum. */
  holds: number;
  held: number;
  isRetired: boolean;
  closing: Promise<void> | undefined;
  /** When it was first tried to close it, whether that was done or not. */
  readonly closed: PromiseWithResolvers<void>;
}

/** What this server has of one spender. */
interface Share {
  readonly spender: Spender;
  current: Reserve | undefined;
  /** Taken ahead of need. */
  next: Reserve | undefined;
  taking: Taking | undefined;
  /** How many calls wait here for anything: it is not forgotten under them. */
  callers: number;
  /** What those that wait for a reserve need. */
  waiting: number;
  /** No reserve is taken ahead before: the last one was refused. */
  aheadFromMs: number;
  /** How fast the last reserve was used up. */
  perMs: number;
}

interface Taking {
  readonly reserve: Promise<Reserve | RefusedReserve>;
  /** A refusal says nothing about what costs less. Infinite: what is taken ahead, and takes less than there is. */
  readonly refusedFrom: number;
}

interface Dependencies {
  readonly store: ReserveStore;
  readonly clock: Clock;
  /** The error for a charge that nothing is left for. */
  readonly refusal: (refused: RefusedReserve, price: number) => AppError;
}

/**
 * The money that this server may charge to: reserves of wallets, each for one spender and one day. Most charges take their price from a reserve
 * that is there; only the next reserve is taken in the database, ahead of need. The database decides whether a reserve is still open when
 * something is charged to it, so that what is known here may be old, and never more than the reserve has.
 *
 * States of a reserve:
 *
 * - **current**: charges are made to it. One for each spender.
 * - **next**: taken ahead; becomes the current one.
 * - **retired**: its time is over, it has too little left, or it is called back. It is closed when its last hold is settled.
 *
 * Nothing is refused for what this server has set aside itself: before a refusal, that is called back.
 */
export class Reserves {
  readonly #deps: Dependencies;
  readonly #shares = new Map<string, Share>();
  /** All that are not closed. */
  readonly #open = new Set<Reserve>();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.tidy(), closingIntervalMs).unref();
  }

  /** Holds an amount: at once, if a reserve has it. Throws `insufficient_balance`, `spend_cap_reached` or `unavailable`. */
  hold(spender: Spender, amount: number): Awaitable<Hold> {
    const share = this.#shareOf(spender);
    return this.#holdNow(share, amount) ?? this.#holdLater(share, amount);
  }

  #holdNow(share: Share, amount: number): Hold | undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    for (let reserve = share.current; reserve !== undefined; reserve = share.current) {
      if (nowMs < reserve.endsAtMs && reserve.rest >= amount) {
        reserve.rest -= amount;
        reserve.held += amount;
        reserve.holds += 1;
        if (reserve.rest < reserve.amount * lowShare && share.next === undefined && nowMs >= share.aheadFromMs) {
          this.#takeAhead(share, amount);
        }
        return this.#holdOf(share, reserve, amount);
      }
      this.#retireCurrent(share);
    }
    return undefined;
  }

  async #holdLater(share: Share, amount: number): Promise<Hold> {
    share.callers += 1;
    try {
      return await this.#holdWhenTaken(share, amount);
    } finally {
      share.callers -= 1;
    }
  }

  async #holdWhenTaken(share: Share, amount: number): Promise<Hold> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      let refused: RefusedReserve | undefined;
      share.waiting += amount;
      try {
        const { reserve, refusedFrom } = this.#take(share, amount, share.waiting);
        const taken = await withinTime(reserve);
        refused = "outcome" in taken && amount >= refusedFrom ? taken : undefined;
      } finally {
        share.waiting -= amount;
      }
      // Whoever gave something back meanwhile has left it to this server.
      const hold = this.#holdNow(share, amount);
      if (hold !== undefined) {
        return hold;
      }
      if (refused !== undefined && !(await this.#callBack(share, refused, amount))) {
        throw this.#deps.refusal(refused, amount);
      }
    }
    throw new AppError("unavailable", "The balance is in use by too many calls. Try again.", { retryAfterSeconds: 1 });
  }

  /**
   * Gives back what this server has of what `share` was refused for lack of, if that could be enough: it is used up, or given back, by those that
   * hold it now. Returns whether it is worth to ask again. Throws `unavailable` if that takes longer than the call may.
   */
  async #callBack({ spender }: Share, refused: RefusedReserve, amount: number): Promise<boolean> {
    const isOfKey = refused.outcome === "spend_cap_reached" && refused.isOfKey;
    const isMeant = ({ workspaceId, keyId }: Spender) =>
      workspaceId === spender.workspaceId && (!isOfKey || keyId === spender.keyId);
    const taking = [...this.#shares.values()]
      .filter((share) => isMeant(share.spender))
      .map((share) => share.taking?.reserve);
    await withinTime(Promise.allSettled(taking));
    const open = [...this.#open].filter(({ share }) => isMeant(share.spender));
    const mine = open.reduce((sum, { rest, held }) => sum + rest + held, 0);
    if (open.length === 0 || BigInt(refused.left) + BigInt(mine) < BigInt(amount)) {
      return false;
    }
    for (const share of new Set(open.map((reserve) => reserve.share))) {
      this.#retireCurrent(share);
      this.#retireCurrent(share);
    }
    await withinTime(Promise.all(open.map(({ closed }) => closed.promise)));
    return open.some((reserve) => !this.#open.has(reserve));
  }

  #takeAhead(share: Share, price: number): void {
    const wait = () => {
      share.aheadFromMs = this.#deps.clock.monotonicMs() + reserveDemandMs;
    };
    void this.#take(share, price, 0).reserve.then((taken) => void ("outcome" in taken && wait()), wait);
  }

  /** The reserve that is being taken, or a new one. `needed`: the prices of all that wait for it. */
  #take(share: Share, price: number, needed: number): Taking {
    share.taking ??= {
      reserve: this.#takeNew(share, price, needed).finally(() => {
        share.taking = undefined;
      }),
      refusedFrom: needed === 0 ? Number.POSITIVE_INFINITY : price,
    };
    return share.taking;
  }

  async #takeNew(share: Share, price: number, needed: number): Promise<Reserve | RefusedReserve> {
    const takenAtMs = this.#deps.clock.monotonicMs();
    const perMs = Math.max(share.perMs, share.current === undefined ? 0 : speedOf(share.current, takenAtMs));
    const wanted = Math.ceil(Math.max(price * minCharges, needed, perMs * reserveDemandMs));
    const taken = await this.#deps.store.take(share.spender, { price, needed, wanted });
    if (taken.outcome !== "taken") {
      return taken;
    }
    const { id, amount, lastsMs } = taken;
    const reserve: Reserve = {
      id,
      share,
      amount,
      takenAtMs,
      endsAtMs: takenAtMs + lastsMs,
      rest: amount,
      holds: 0,
      held: 0,
      isRetired: false,
      closing: undefined,
      closed: Promise.withResolvers(),
    };
    this.#open.add(reserve);
    if (share.current === undefined) {
      share.current = reserve;
    } else {
      share.next = reserve;
    }
    return reserve;
  }

  #holdOf(share: Share, reserve: Reserve, amount: number): Hold {
    let isSettled = false;
    const settle = (givenBack: number) => {
      if (isSettled) {
        return;
      }
      isSettled = true;
      reserve.rest += givenBack;
      reserve.held -= amount;
      reserve.holds -= 1;
      this.#closeIfUnused(reserve);
    };
    return {
      reserveId: reserve.id,
      amount,
      spent: (unused = 0) => settle(unused),
      giveBack: () => settle(amount),
      refused: () => {
        if (share.current === reserve) {
          this.#retireCurrent(share);
        }
        settle(0);
      },
    };
  }

  #retireCurrent(share: Share): void {
    const reserve = share.current;
    if (reserve !== undefined) {
      share.current = share.next;
      share.next = undefined;
      reserve.isRetired = true;
      share.perMs = speedOf(reserve, this.#deps.clock.monotonicMs());
      this.#closeIfUnused(reserve);
    }
  }

  /** If it fails, `tidy` tries again, and at last a sweep. */
  #closeIfUnused(reserve: Reserve): void {
    if (reserve.isRetired && reserve.holds === 0) {
      reserve.closing ??= this.#deps.store
        .close(reserve.share.spender.workspaceId, reserve.id)
        .then(
          () => void this.#open.delete(reserve),
          () => {
            reserve.closing = undefined;
          },
        )
        .finally(() => reserve.closed.resolve());
    }
  }

  /** Closes what has ended, and forgets spenders that have nothing here. */
  tidy(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [key, share] of this.#shares) {
      while (share.current !== undefined && nowMs >= share.current.endsAtMs) {
        this.#retireCurrent(share);
      }
      if (share.current === undefined && share.taking === undefined && share.callers === 0) {
        this.#shares.delete(key);
      }
    }
    for (const reserve of this.#open) {
      this.#closeIfUnused(reserve);
    }
  }

  /** Closes all reserves. Returns false if some could not be: a server that sweeps closes them. */
  async stop(): Promise<boolean> {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#shares.values()].map(({ taking }) => taking?.reserve));
    for (const share of this.#shares.values()) {
      this.#retireCurrent(share);
      this.#retireCurrent(share);
    }
    await Promise.all([...this.#open].map(({ closing }) => closing));
    return this.#open.size === 0;
  }

  #shareOf(spender: Spender): Share {
    const key = `${spender.workspaceId} ${spender.keyId}`;
    let share = this.#shares.get(key);
    if (share === undefined) {
      share = {
        spender,
        current: undefined,
        next: undefined,
        taking: undefined,
        callers: 0,
        waiting: 0,
        aheadFromMs: Number.NEGATIVE_INFINITY,
        perMs: 0,
      };
      this.#shares.set(key, share);
    }
    return share;
  }
}

/** How much of a reserve was used a millisecond. */
function speedOf(reserve: Reserve, nowMs: number): number {
  return (reserve.amount - reserve.rest) / Math.max(1, nowMs - reserve.takenAtMs);
}
