import type { HeldCharge } from "../verify/send-charges.ts";
import { lowShare } from "./balance.policy.ts";
import type { TakenReserve } from "./reserve-store.ts";

/** A held charge of which a part may turn out not to be needed. */
export interface Hold extends Pick<HeldCharge, "reserveId" | "amount" | "giveBack" | "refused"> {
  spent(unused?: number): void;
}

/** At most, if it is not known whether it was taken. */
export type Content = Pick<TakenReserve, "id" | "amount" | "lastsMs">;

/** What a reserve needs of the one that owns it. */
interface Owner {
  /** Closes it in the database. */
  close(): Promise<void>;
  onRetired(): void;
  onClosed(): void;
}

/**
 * Money of a wallet that this server may charge to, from when it is taken until it is closed. States:
 *
 * - **usable**: amounts of it are held, and charged to it.
 * - **retired**: its time is over, it has too little left, the database has closed it, or it is called back. It is closed when its last hold is
 *   settled; if that fails, it is tried again by `tidy` and by whoever calls it back.
 * - **closed**: what was not charged is in the wallet again.
 */
export class Reserve {
  readonly #taken: Content;
  readonly #takenAtMs: number;
  readonly #owner: Owner;
  #rest: number;
  /** Holds that are not settled, and their sum. */
  #holds = 0;
  #held = 0;
  #isRetired = false;
  #closing: Promise<void> | undefined;
  /** Whether it is closed: of the try that is under way, or of the next one. */
  #outcome = Promise.withResolvers<boolean>();

  constructor(taken: Content, takenAtMs: number, owner: Owner) {
    this.#taken = taken;
    this.#takenAtMs = takenAtMs;
    this.#owner = owner;
    this.#rest = taken.amount;
  }

  get isUsable(): boolean {
    return !this.#isRetired;
  }

  get isLow(): boolean {
    return this.#rest < this.#taken.amount * lowShare;
  }

  /** What was not charged, as far as this server knows. */
  get unused(): number {
    return this.#rest + this.#held;
  }

  /** The try to close it that is under way. */
  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  /** How much of it was used a millisecond. */
  perMs(nowMs: number): number {
    return (this.#taken.amount - this.#rest) / Math.max(1, nowMs - this.#takenAtMs);
  }

  /** Holds an amount, or retires if it cannot. */
  hold(amount: number, nowMs: number): Hold | undefined {
    if (this.#isRetired || this.#isOver(nowMs) || this.#rest < amount) {
      this.retire();
      return undefined;
    }
    this.#rest -= amount;
    this.#held += amount;
    this.#holds += 1;
    let isSettled = false;
    const settle = (givenBack: number) => {
      if (!isSettled) {
        isSettled = true;
        this.#rest += givenBack;
        this.#held -= amount;
        this.#holds -= 1;
        this.#closeIfUnused();
      }
    };
    return {
      reserveId: this.#taken.id,
      amount,
      spent: (unused = 0) => settle(unused),
      giveBack: () => settle(amount),
      refused: () => {
        this.retire();
        // It was not charged: it may have come back to the wallet since.
        settle(amount);
      },
    };
  }

  /** Nothing more is held of it. */
  retire(): void {
    if (!this.#isRetired) {
      this.#isRetired = true;
      this.#owner.onRetired();
      this.#closeIfUnused();
    }
  }

  /** Retires it, and answers whether it could be closed, once its holds are settled. */
  callBack(): Promise<boolean> {
    this.retire();
    this.#closeIfUnused();
    return this.#outcome.promise;
  }

  /** Retires it if its time is over, and closes it if that has failed before. */
  tidy(nowMs: number): void {
    if (this.#isOver(nowMs)) {
      this.retire();
    }
    this.#closeIfUnused();
  }

  #isOver(nowMs: number): boolean {
    return nowMs >= this.#takenAtMs + this.#taken.lastsMs;
  }

  #closeIfUnused(): void {
    if (this.#isRetired && this.#holds === 0) {
      this.#closing ??= this.#close();
    }
  }

  async #close(): Promise<void> {
    const outcome = this.#outcome;
    try {
      await this.#owner.close();
      this.#owner.onClosed();
      outcome.resolve(true);
    } catch {
      this.#closing = undefined;
      this.#outcome = Promise.withResolvers();
      outcome.resolve(false);
    }
  }
}
