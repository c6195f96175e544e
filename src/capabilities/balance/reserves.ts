import type { Awaitable } from "../../awaitable.ts";
import type { Clock } from "../../clock.ts";
import { withinTime } from "../../database/call-deadline.ts";
import { AppError } from "../../errors.ts";
import { closingIntervalMs, maxTries } from "./balance.policy.ts";
import type { Hold } from "./reserve.ts";
import type { RefusedReserve, ReserveStore, Spender } from "./reserve-store.ts";
import { type Refusal, type Returns, Share } from "./share.ts";

/** What this server has of one wallet: by key. */
interface OpenWallet extends Returns {
  readonly shares: Map<string, Share>;
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
 * Nothing is refused for what this server has set aside itself: before a refusal, that is called back.
 */
export class Reserves {
  readonly #deps: Dependencies;
  readonly #wallets = new Map<string, OpenWallet>();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.tidy(), closingIntervalMs).unref();
  }

  /** Holds an amount: at once, if a reserve has it. Throws `insufficient_balance`, `spend_cap_reached` or `unavailable`. */
  hold(spender: Spender, amount: number): Awaitable<Hold> {
    const wallet = this.#walletOf(spender);
    const share = this.#shareOf(wallet, spender);
    return share.hold(amount) ?? share.whileCalled(() => this.#holdLater(wallet, share, amount));
  }

  async #holdLater(wallet: OpenWallet, share: Share, amount: number): Promise<Hold> {
    const before = share.taking;
    for (let tries = 0; tries < maxTries; tries += 1) {
      const refusal = await share.take(amount, before);
      // Whoever gave something back meanwhile has left it to this server.
      let hold = share.hold(amount);
      if (hold === undefined && refusal !== undefined) {
        await this.#callBack(wallet, share, refusal, amount);
        // Others may have taken new reserves while this call waited for the old ones.
        hold = share.hold(amount);
      }
      if (hold !== undefined) {
        return hold;
      }
    }
    throw new AppError("unavailable", "The balance is in use by too many calls. Try again.", { retryAfterSeconds: 1 });
  }

  /**
   * Gives back what this server has of what `share` was refused for lack of: it is used up, or given back, by those that hold it now. Throws the
   * refusal if that cannot be enough, and `unavailable` if it cannot be given back, or takes longer than the call may.
   */
  async #callBack(wallet: OpenWallet, share: Share, refusal: Refusal, amount: number): Promise<void> {
    const { refused, ofShare, ofWallet } = refusal;
    const isOfKey = refused.outcome === "spend_cap_reached" && refused.isOfKey;
    const meant = () => (isOfKey ? [share] : [...wallet.shares.values()]);
    await withinTime(Promise.allSettled(meant().map(({ taking }) => taking?.refusal)));
    // It is not open any more, and may not be in what was left.
    const givenBack = isOfKey ? share.givenBack - ofShare : wallet.givenBack - ofWallet;
    const open = meant().flatMap((each) => each.open);
    const unused = open.reduce((sum, reserve) => sum + reserve.unused, 0);
    if (BigInt(refused.left) + BigInt(unused) + BigInt(givenBack) < BigInt(amount)) {
      throw this.#deps.refusal(refused, amount);
    }
    if (givenBack > 0) {
      return;
    }
    const closed = await withinTime(Promise.all(open.map((reserve) => reserve.callBack())));
    if (!closed.includes(true)) {
      const message = "What this server has set aside cannot be given back to the balance. Try again.";
      throw new AppError("unavailable", message, { retryAfterSeconds: 1 });
    }
  }

  /** Closes what has ended, and forgets spenders that have nothing here. */
  tidy(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [workspaceId, { shares }] of this.#wallets) {
      for (const [keyId, share] of shares) {
        share.tidy(nowMs);
        if (share.isIdle) {
          shares.delete(keyId);
        }
      }
      if (shares.size === 0) {
        this.#wallets.delete(workspaceId);
      }
    }
  }

  /** Closes all reserves. Returns false if some could not be: a server that sweeps closes them. */
  async stop(): Promise<boolean> {
    clearInterval(this.#timer);
    const shares = [...this.#wallets.values()].flatMap((wallet) => [...wallet.shares.values()]);
    await Promise.allSettled(shares.map(({ taking }) => taking?.refusal));
    const open = shares.flatMap((share) => share.open);
    for (const reserve of open) {
      reserve.retire();
    }
    this.tidy();
    await Promise.all(open.map(({ closing }) => closing));
    return shares.every((share) => share.open.length === 0);
  }

  #walletOf({ workspaceId }: Spender): OpenWallet {
    let wallet = this.#wallets.get(workspaceId);
    if (wallet === undefined) {
      wallet = { shares: new Map(), givenBack: 0 };
      this.#wallets.set(workspaceId, wallet);
    }
    return wallet;
  }

  #shareOf(wallet: OpenWallet, spender: Spender): Share {
    let share = wallet.shares.get(spender.keyId);
    if (share === undefined) {
      share = new Share(this.#deps, spender, wallet);
      wallet.shares.set(spender.keyId, share);
    }
    return share;
  }
}
