import type { RefusedReserve, ReserveStore, Spender } from "../../../src/capabilities/balance/reserve-store.ts";
import { AppError } from "../../../src/errors.ts";
import type { Random } from "../../support/random.ts";

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface ModelReserve {
  readonly id: string;
  readonly keyId: string;
  readonly amount: number;
  readonly takenAtMs: number;
  charged: number;
  /** The server believes that it was charged, and it was not. */
  lost: number;
  /** Whether the server knows that it is there, or may be. Otherwise it is on the way to it. */
  isKnown: boolean;
  isClosing: boolean;
  holds: number;
}

export interface ModelWallet {
  balance: number;
  toppedUp: number;
  /** All that came to the balance and that the server did not know that it had. */
  added: number;
  /** What another server has spent. */
  elsewhere: number;
  charged: number;
  /** By key; empty: of the workspace. */
  readonly caps: ReadonlyMap<string, number>;
  readonly used: Map<string, number>;
  readonly open: Map<string, ModelReserve>;
}

/** The ledger in memory, with answers that take time, failures, and a sweep. Times are those of the fake clock. */
export class ModelLedger implements ReserveStore {
  readonly wallets = new Map<string, ModelWallet>();
  readonly faults: string[] = [];
  failsUntilMs = 0;
  lastFailureMs = Number.NEGATIVE_INFINITY;
  readonly #random: Random;
  readonly #servers: number;
  #taken = 0;

  constructor(random: Random, servers: number) {
    this.#random = random;
    this.#servers = servers;
  }

  walletOf(workspaceId: string): ModelWallet {
    const wallet = this.wallets.get(workspaceId);
    if (wallet === undefined) {
      throw new TypeError("there is no such wallet");
    }
    return wallet;
  }

  async take({ workspaceId, keyId }: Spender, { price, needed, wanted }: Parameters<ReserveStore["take"]>[1]) {
    const id = `rsv_${++this.#taken}`;
    try {
      await this.#travel();
    } catch (error) {
      if (this.#random.chance(0.5)) {
        return { outcome: "unknown", id } as const;
      }
      throw error;
    }
    const wallet = this.walletOf(workspaceId);
    const refusal = this.#refusal(wallet, keyId, price);
    if (refusal !== undefined) {
      await this.#travel();
      return refusal;
    }
    const left = Math.min(wallet.balance, ...["", keyId].map((owner) => leftToCap(wallet, owner)));
    const amount = Math.min(left, Math.max(needed, Math.min(wanted, Math.floor(left / (2 * this.#servers)))));
    if (amount < price) {
      await this.#travel();
      return { outcome: "insufficient_balance", left: String(amount), setAside: "0" } as const;
    }
    const takenAtMs = performance.now();
    const reserve: ModelReserve = {
      ...{ id, keyId, amount, takenAtMs, charged: 0, lost: 0, isKnown: false, isClosing: false, holds: 0 },
    };
    this.#move(wallet, keyId, -amount);
    wallet.open.set(id, reserve);
    try {
      await this.#travel();
    } catch {
      // The server closes it, as it does one that was taken.
      reserve.isKnown = true;
      return { outcome: "unknown", id } as const;
    }
    reserve.isKnown = true;
    this.#checkParts(wallet, keyId);
    return { outcome: "taken", id, amount, lastsMs: this.#random.chance(0.1) ? 500 : 30_000 } as const;
  }

  async close(workspaceId: string, id: string): Promise<void> {
    const wallet = this.walletOf(workspaceId);
    const reserve = wallet.open.get(id);
    if (reserve !== undefined) {
      reserve.isClosing = true;
    }
    await this.#travel();
    this.#close(wallet, id);
    await this.#travel();
  }

  /** Answers whether it was made, or nobody knows; otherwise there is no such reserve. */
  async charge(workspaceId: string, id: string, amount: number): Promise<boolean> {
    const wallet = this.walletOf(workspaceId);
    const isLost = performance.now() < this.failsUntilMs && this.#random.chance(0.3);
    await pause(this.#random.between(0, 20));
    const reserve = wallet.open.get(id);
    if (reserve === undefined) {
      return false;
    }
    if (isLost) {
      reserve.lost += amount;
      return true;
    }
    reserve.charged += amount;
    wallet.charged += amount;
    if (reserve.charged + reserve.lost > reserve.amount) {
      this.faults.push(`${id} was charged more than it has`);
    }
    return true;
  }

  /** What a sweep finds: reserves of servers that are gone, and those that this one could not close. */
  sweep(): void {
    for (const wallet of this.wallets.values()) {
      for (const { id, takenAtMs, isKnown } of wallet.open.values()) {
        if (performance.now() >= takenAtMs + 60_000) {
          this.#close(wallet, id);
          if (isKnown && performance.now() - this.lastFailureMs > 20_000) {
            this.faults.push(`${id} was left to the sweep`);
          }
        }
      }
    }
  }

  /** What a key could have if the server gave back what it has set aside and not used. */
  availableTo(workspaceId: string, keyId: string): number {
    return Math.min(
      this.#covered(workspaceId, undefined),
      ...["", keyId].map((owner) => this.#covered(workspaceId, owner)),
    );
  }

  /** The same, of the balance or the cap that was the reason. */
  coveredOf(workspaceId: string, keyId: string, refused: RefusedReserve): number {
    const isOfKey = refused.outcome === "spend_cap_reached" && refused.isOfKey;
    return this.#covered(workspaceId, refused.outcome === "insufficient_balance" ? undefined : isOfKey ? keyId : "");
  }

  /** Of the cap of `owner`, or of the balance. */
  #covered(workspaceId: string, owner: string | undefined): number {
    const wallet = this.walletOf(workspaceId);
    const own = [...wallet.open.values()].filter(({ keyId }) => !owner || keyId === owner);
    const left = owner === undefined ? wallet.balance : leftToCap(wallet, owner);
    return own.reduce((sum, { amount, charged, lost }) => sum + amount - charged - lost, left);
  }

  #refusal(wallet: ModelWallet, keyId: string, price: number): RefusedReserve | undefined {
    if (wallet.balance < price) {
      return { outcome: "insufficient_balance", left: String(wallet.balance), setAside: "0" };
    }
    for (const owner of ["", keyId]) {
      const left = leftToCap(wallet, owner);
      if (left < price) {
        const resetsAt = new Date(0);
        const isOfKey = owner !== "";
        return { outcome: "spend_cap_reached", left: String(left), setAside: "0", spent: "0", isOfKey, resetsAt };
      }
    }
    return undefined;
  }

  #close(wallet: ModelWallet, id: string): void {
    const reserve = wallet.open.get(id);
    if (reserve === undefined) {
      return;
    }
    wallet.open.delete(id);
    const { amount, charged, lost, keyId } = reserve;
    this.#move(wallet, keyId, amount - charged);
    wallet.added += lost;
  }

  #move(wallet: ModelWallet, keyId: string, amount: number): void {
    wallet.balance += amount;
    for (const owner of new Set(["", keyId])) {
      wallet.used.set(owner, (wallet.used.get(owner) ?? 0) - amount);
    }
  }

  /** A spender has at most two reserves that nothing is held of and that are not being closed. */
  #checkParts({ open }: ModelWallet, keyId: string): void {
    const idle = [...open.values()].filter(
      (reserve) => reserve.keyId === keyId && reserve.isKnown && !reserve.isClosing && reserve.holds === 0,
    );
    if (idle.length > 2) {
      this.faults.push(`${keyId} has ${idle.length} reserves`);
    }
  }

  /** On the way to the database, or back. */
  async #travel(): Promise<void> {
    await pause(this.#random.chance(0.05) ? this.#random.between(20, 2_000) : this.#random.between(0, 5));
    if (performance.now() < this.failsUntilMs && this.#random.chance(0.5)) {
      this.lastFailureMs = performance.now();
      throw new AppError("unavailable", "the database is away");
    }
  }
}

function leftToCap({ caps, used }: ModelWallet, owner: string): number {
  return (caps.get(owner) ?? Number.POSITIVE_INFINITY) - (used.get(owner) ?? 0);
}
