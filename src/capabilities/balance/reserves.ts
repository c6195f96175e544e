import type { Awaitable } from "../../awaitable.ts";
import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { closingIntervalMs, lowShare, maxTries, minCharges, reserveDemandMs } from "./balance.policy.ts";
import type { RefusedReserve, ReserveStore, Spender } from "./reserve-store.ts";

/** An amount of a reserve that something is about to be charged to. Exactly one of its functions is to be called, once. */
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
  readonly amount: number;
  readonly takenAtMs: number;
  readonly endsAtMs: number;
  rest: number;
  /** Holds that are not settled. */
  holds: number;
  isRetired: boolean;
}

/** What this server has of one spender. */
interface Share {
  readonly spender: Spender;
  current: Reserve | undefined;
  /** Taken ahead of need. */
  next: Reserve | undefined;
  taking: Promise<Reserve | RefusedReserve> | undefined;
  /** What those that wait for a reserve need. */
  waiting: number;
  /** No reserve is taken ahead before: the last one was refused. */
  aheadFromMs: number;
  /** How fast the last reserve was used up. */
  perMs: number;
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
 * - **retired**: its time is over, or it has too little left. It is closed when its last hold is settled.
 */
export class Reserves {
  readonly #deps: Dependencies;
  readonly #shares = new Map<string, Share>();
  /** Retired reserves without holds: those that are being closed, and those that could not be. */
  readonly #closing = new Map<string, { readonly workspaceId: string; closed: Promise<void> | undefined }>();
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
        reserve.holds += 1;
        if (reserve.rest < reserve.amount * lowShare && share.next === undefined && nowMs >= share.aheadFromMs) {
          this.#takeAhead(share, amount);
        }
        return this.#holdOf(share, reserve, amount);
      }
      this.#retire(share, reserve);
      share.current = share.next;
      share.next = undefined;
    }
    return undefined;
  }

  async #holdLater(share: Share, amount: number): Promise<Hold> {
    for (let tries = 0; tries < maxTries; tries += 1) {
      share.waiting += amount;
      try {
        const taken = await this.#take(share, amount);
        if ("outcome" in taken) {
          // Whoever gave something back meanwhile has left it to this server.
          const hold = this.#holdNow(share, amount);
          if (hold !== undefined) {
            return hold;
          }
          throw this.#deps.refusal(taken, amount);
        }
      } finally {
        share.waiting -= amount;
      }
      const hold = this.#holdNow(share, amount);
      if (hold !== undefined) {
        return hold;
      }
    }
    throw new AppError("unavailable", "The balance is in use by too many calls. Try again.", { retryAfterSeconds: 1 });
  }

  #takeAhead(share: Share, amount: number): void {
    void this.#take(share, amount).then(
      (taken) => {
        if ("outcome" in taken) {
          share.aheadFromMs = this.#deps.clock.monotonicMs() + reserveDemandMs;
        }
      },
      () => {
        share.aheadFromMs = this.#deps.clock.monotonicMs() + reserveDemandMs;
      },
    );
  }

  /** The reserve that is being taken, or a new one. */
  #take(share: Share, price: number): Promise<Reserve | RefusedReserve> {
    share.taking ??= this.#takeNew(share, price).finally(() => {
      share.taking = undefined;
    });
    return share.taking;
  }

  async #takeNew(share: Share, price: number): Promise<Reserve | RefusedReserve> {
    const takenAtMs = this.#deps.clock.monotonicMs();
    const perMs = Math.max(share.perMs, share.current === undefined ? 0 : speedOf(share.current, takenAtMs));
    const needed = Math.max(price, share.waiting);
    const wanted = Math.ceil(Math.max(price * minCharges, needed, perMs * reserveDemandMs));
    const taken = await this.#deps.store.take(share.spender, { price, needed, wanted });
    if (taken.outcome !== "taken") {
      return taken;
    }
    const { id, amount, lastsMs } = taken;
    const endsAtMs = takenAtMs + lastsMs;
    const reserve: Reserve = { id, amount, takenAtMs, endsAtMs, rest: amount, holds: 0, isRetired: false };
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
      reserve.holds -= 1;
      if (reserve.isRetired && reserve.holds === 0) {
        this.#close(share.spender.workspaceId, reserve.id);
      }
    };
    return {
      reserveId: reserve.id,
      amount,
      spent: (unused = 0) => settle(unused),
      giveBack: () => settle(amount),
      refused: () => {
        if (share.current === reserve) {
          this.#retire(share, reserve);
          share.current = share.next;
          share.next = undefined;
        }
        settle(0);
      },
    };
  }

  #retire(share: Share, reserve: Reserve): void {
    reserve.isRetired = true;
    share.perMs = speedOf(reserve, this.#deps.clock.monotonicMs());
    if (reserve.holds === 0) {
      this.#close(share.spender.workspaceId, reserve.id);
    }
  }

  /** If it fails, `tidy` tries again, and at last a sweep. */
  #close(workspaceId: string, id: string): void {
    const closing = this.#closing.get(id) ?? { workspaceId, closed: undefined };
    this.#closing.set(id, closing);
    closing.closed ??= this.#deps.store.close(workspaceId, id).then(
      () => void this.#closing.delete(id),
      () => {
        closing.closed = undefined;
      },
    );
  }

  /** Closes what has ended, and forgets spenders that have nothing here. */
  tidy(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [key, share] of this.#shares) {
      if (share.current !== undefined && nowMs >= share.current.endsAtMs) {
        this.#retire(share, share.current);
        share.current = share.next;
        share.next = undefined;
      } else if (share.current === undefined && share.taking === undefined && share.waiting === 0) {
        this.#shares.delete(key);
      }
    }
    for (const [id, { workspaceId }] of this.#closing) {
      this.#close(workspaceId, id);
    }
  }

  /** Closes all reserves. Returns false if some could not be: a server that sweeps closes them. */
  async stop(): Promise<boolean> {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#shares.values()].map(({ taking }) => taking));
    for (const share of this.#shares.values()) {
      for (const reserve of [share.current, share.next]) {
        if (reserve !== undefined) {
          this.#retire(share, reserve);
        }
      }
      share.current = undefined;
      share.next = undefined;
    }
    await Promise.all([...this.#closing.values()].map(({ closed }) => closed));
    return this.#closing.size === 0;
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
