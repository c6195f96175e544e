import { setImmediate as afterMicrotasks } from "node:timers/promises";
import { vi } from "vitest";
import type { RefusedReserve, Spender } from "../../../src/capabilities/balance/reserve-store.ts";
import { Reserves } from "../../../src/capabilities/balance/reserves.ts";
import { callLimits, withDeadline } from "../../../src/database/call-deadline.ts";
import { AppError } from "../../../src/errors.ts";
import { Random } from "../../support/random.ts";
import { ModelLedger, pause } from "./model-ledger.ts";

/** Until the server has closed its reserves, and the sweep those that the server does not know. */
const quietMs = 75_000;

/** What a caller does again and again. */
interface Habit extends Spender {
  readonly price: readonly [least: number, most: number];
  readonly holdMs: number;
  readonly pauseMs: number;
  readonly chargeChance: number;
}

/** A refusal, with what there was for each spender when it was decided, and all that had come to its wallet from elsewhere. */
class Refused extends AppError {
  readonly there: ReadonlyMap<string, { readonly covered: number; readonly added: number }>;

  constructor({ outcome }: RefusedReserve, there: Refused["there"]) {
    super(outcome, "not enough");
    this.there = there;
  }
}

/**
 * A random history of the reserves of one server: callers with several keys, which charge all or a part, give back, are refused, or leave; a
 * database that is slow, and fails for a while; another server, top-ups and a sweep. The times are those of fake timers.
 */
export class History {
  readonly faults: string[];
  readonly #random: Random;
  readonly #ledger: ModelLedger;
  readonly #reserves: Reserves;
  readonly #spenders: Spender[] = [];
  readonly #endsAtMs: number;
  #callers = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#endsAtMs = performance.now() + this.#random.between(1_000, 12_000);
    this.#ledger = new ModelLedger(this.#random, this.#whole(1, 2));
    this.faults = this.#ledger.faults;
    for (let wallets = this.#random.pick([1, 1, 2]); wallets > 0; wallets -= 1) {
      this.#openWallet(`ws_${wallets}`);
    }
    this.#reserves = new Reserves({
      store: this.#ledger,
      clock: { now: () => new Date(0), monotonicMs: () => performance.now() },
      refusal: (refused) => this.#refusalOf(refused),
    });
  }

  /** Lets it happen. Answers what must not be, and was. */
  async run(): Promise<readonly string[]> {
    const story = this.#run();
    let isOver = false;
    story.finally(() => {
      isOver = true;
    });
    const lastMs = this.#endsAtMs + 300_000;
    while (!isOver) {
      await afterMicrotasks();
      vi.advanceTimersToNextTimer();
      if (performance.now() > lastMs) {
        this.faults.push(`${this.#callers} calls wait for ever`);
        await this.#reserves.stop();
        return this.faults;
      }
    }
    await story;
    return this.faults;
  }

  async #run(): Promise<void> {
    const callers = Array.from({ length: this.#whole(2, 10) }, () => this.#call(this.#habit()));
    await Promise.all([...callers, this.#others(), this.#fail()]);
    for (let waited = 0; waited < quietMs; waited += 5_000) {
      await pause(5_000);
      this.#ledger.sweep();
    }
    for (const { open } of this.#ledger.wallets.values()) {
      this.faults.push(...[...open.keys()].map((id) => `${id} is open for ever`));
    }
    for (const spender of this.#spenders) {
      await this.#checkRest(spender);
    }
    if (!(await this.#reserves.stop())) {
      this.faults.push("the server has not closed all reserves when it stops");
    }
    for (const [workspaceId, { balance, toppedUp, elsewhere, charged, open }] of this.#ledger.wallets) {
      if (balance + charged + elsewhere !== toppedUp || open.size > 0) {
        this.faults.push(`${workspaceId} has ${balance}, spent ${charged + elsewhere}, and had ${toppedUp}`);
      }
    }
  }

  #openWallet(workspaceId: string): void {
    const keyIds = ["key_1", "key_2", "key_3"].slice(0, this.#random.pick([1, 1, 2, 3]));
    const capped = ["", ...keyIds].filter(() => this.#random.chance(0.1));
    const balance = this.#whole(100, 600);
    this.#ledger.wallets.set(workspaceId, {
      balance,
      toppedUp: balance,
      added: 0,
      elsewhere: 0,
      charged: 0,
      caps: new Map(capped.map((owner) => [owner, this.#whole(50, 400)])),
      used: new Map(),
      open: new Map(),
    });
    this.#spenders.push(...keyIds.map((keyId) => ({ workspaceId, keyId })));
  }

  #habit(): Habit {
    const [first = { workspaceId: "", keyId: "" }, ...others] = this.#spenders;
    const isCheap = this.#random.chance(0.6);
    return {
      ...this.#random.pick([first, ...others]),
      price: isCheap ? [1, 6] : [20, 250],
      holdMs: isCheap ? 10 : this.#random.pick([10, 500, 1_000, 3_000]),
      pauseMs: this.#random.pick([5, 50, 500]),
      chargeChance: isCheap ? this.#random.pick([0.5, 1, 1]) : this.#random.pick([0.1, 0.3, 1]),
    };
  }

  async #call(habit: Habit): Promise<void> {
    this.#callers += 1;
    while (performance.now() < this.#endsAtMs) {
      const price = this.#whole(...habit.price);
      const begunAtMs = performance.now();
      const { added } = this.#ledger.walletOf(habit.workspaceId);
      const spend = () => this.#spend(habit, price);
      const leaving = new AbortController();
      if (this.#random.chance(0.1)) {
        setTimeout(() => leaving.abort(), this.#random.between(0, 1_000));
      }
      await (this.#random.chance(0.2) ? spend() : withDeadline(spend, leaving.signal)).catch((error: unknown) => {
        this.#checkError(habit, { price, begunAtMs, added, hasLeft: leaving.signal.aborted }, error);
      });
      await pause(this.#random.between(0, habit.pauseMs));
    }
    this.#callers -= 1;
  }

  async #spend({ workspaceId, keyId, holdMs, chargeChance }: Habit, price: number): Promise<void> {
    const hold = await this.#reserves.hold({ workspaceId, keyId }, price);
    const reserve = this.#ledger.walletOf(workspaceId).open.get(hold.reserveId) ?? { holds: 0 };
    reserve.holds += 1;
    await pause(this.#random.between(0, holdMs));
    if (this.#random.chance(chargeChance)) {
      const amount = this.#random.chance(0.2) ? Math.ceil(price / 2) : price;
      const isMade = await this.#ledger.charge(workspaceId, hold.reserveId, amount);
      reserve.holds -= 1;
      isMade ? hold.spent(price - amount) : hold.refused();
    } else {
      reserve.holds -= 1;
      hold.giveBack();
    }
    if (this.#random.chance(0.1)) {
      hold.giveBack();
    }
  }

  #checkError(
    { workspaceId, keyId }: Spender,
    call: { readonly price: number; readonly begunAtMs: number; readonly added: number; readonly hasLeft: boolean },
    error: unknown,
  ): void {
    const tookMs = performance.now() - call.begunAtMs;
    if (error instanceof Refused) {
      const there = error.there.get(`${workspaceId} ${keyId} ${error.code}`) ?? { covered: 0, added: 0 };
      const covered = there.covered - (there.added - call.added);
      if (covered >= call.price) {
        this.faults.push(`${call.price} was refused (${error.code}), and ${covered} was there`);
      }
    } else if (!(error instanceof AppError) || error.code !== "unavailable") {
      this.faults.push(`a call threw ${error}`);
    } else if (tookMs < callLimits.endMs && !call.hasLeft && this.#ledger.lastFailureMs < call.begunAtMs) {
      this.faults.push(`a call got 503 after ${tookMs} ms, and the database works: ${error.message}`);
    }
  }

  /** All is quiet: what is there can be had, and no more. */
  async #checkRest({ workspaceId, keyId }: Spender): Promise<void> {
    const left = this.#ledger.availableTo(workspaceId, keyId);
    const tooMuch = await this.#codeOf({ workspaceId, keyId }, Math.max(left, 0) + 1);
    const all = left > 0 ? await this.#codeOf({ workspaceId, keyId }, left) : "ok";
    if (!/^(insufficient_balance|spend_cap_reached)$/.test(tooMuch) || all !== "ok") {
      this.faults.push(`in the end, ${left} got ${all}, and more got ${tooMuch}`);
    }
  }

  async #codeOf(spender: Spender, amount: number): Promise<string> {
    try {
      (await withDeadline(async () => this.#reserves.hold(spender, amount))).giveBack();
      return "ok";
    } catch (error) {
      return error instanceof AppError ? error.code : String(error);
    }
  }

  #refusalOf(refused: RefusedReserve): Refused {
    const there = this.#spenders.map(({ workspaceId, keyId }) => {
      const { added } = this.#ledger.walletOf(workspaceId);
      const covered = this.#ledger.coveredOf(workspaceId, keyId, refused);
      return [`${workspaceId} ${keyId} ${refused.outcome}`, { covered, added }] as const;
    });
    return new Refused(refused, new Map(there));
  }

  /** Top-ups, another server, and the sweep. */
  async #others(): Promise<void> {
    // Above it, more is spent elsewhere than is topped up.
    const usualBalance = this.#whole(0, 400);
    while (performance.now() < this.#endsAtMs) {
      await pause(this.#random.between(0, 500));
      this.#ledger.sweep();
      for (const wallet of this.#ledger.wallets.values()) {
        const amount = Math.max(
          -wallet.balance,
          wallet.balance < usualBalance ? this.#whole(0, 100) : this.#whole(-50, 10),
        );
        wallet.balance += amount;
        if (amount > 0) {
          wallet.toppedUp += amount;
          wallet.added += amount;
        } else {
          wallet.elsewhere -= amount;
        }
      }
    }
  }

  async #fail(): Promise<void> {
    if (this.#random.chance(0.6)) {
      return;
    }
    while (performance.now() < this.#endsAtMs) {
      await pause(this.#random.between(0, 5_000));
      this.#ledger.failsUntilMs = Math.min(this.#endsAtMs, performance.now() + this.#random.between(0, 3_000));
    }
  }

  #whole(least: number, most: number): number {
    return Math.floor(this.#random.between(least, most + 1));
  }
}
