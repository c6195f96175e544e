/** Many calls, and less money than they cost: each is answered soon, and what comes in is spent. In simulated time. */
import { setImmediate as afterMicrotasks } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { ReserveStore, Spender } from "../../../src/capabilities/balance/reserve-store.ts";
import { Reserves } from "../../../src/capabilities/balance/reserves.ts";
import { withDeadline } from "../../../src/database/call-deadline.ts";
import { AppError } from "../../../src/errors.ts";
import { Random } from "../../support/random.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const keyCount = 20;
const cappedKey = "key_0";
const callerCount = 100;
const storyMs = 20_000;

/** A wallet in memory, whose reserves are taken and closed one at a time, as those of a row that is locked. */
class QueuedStore implements ReserveStore {
  left = 0;
  /** What `cappedKey` may spend. */
  cap = Number.POSITIVE_INFINITY;
  lastsMs = 30_000;
  charged = 0;
  readonly #open = new Map<string, { amount: number; readonly isCapped: boolean }>();
  #taken = 0;
  #queue = Promise.resolve();

  async take({ keyId }: Spender, { price, needed, wanted }: Parameters<ReserveStore["take"]>[1]) {
    await this.#turn();
    const isCapped = keyId === cappedKey;
    const left = isCapped ? Math.min(this.left, this.cap) : this.left;
    const amount = Math.min(left, Math.max(needed, Math.min(wanted, Math.floor(left / 2))));
    if (amount < price) {
      const refused = { left: String(amount), setAside: "0" };
      return this.left < price || !isCapped
        ? ({ outcome: "insufficient_balance", ...refused } as const)
        : ({ outcome: "spend_cap_reached", ...refused, spent: "0", isOfKey: true, resetsAt: new Date(0) } as const);
    }
    const id = `rsv_${++this.#taken}`;
    this.#add(-amount, isCapped);
    this.#open.set(id, { amount, isCapped });
    return { outcome: "taken", id, amount, lastsMs: this.lastsMs } as const;
  }

  async close(_workspaceId: string, id: string) {
    await this.#turn();
    const reserve = this.#open.get(id);
    this.#open.delete(id);
    this.#add(reserve?.amount ?? 0, reserve?.isCapped === true);
  }

  charge(id: string, amount: number): boolean {
    const reserve = this.#open.get(id);
    if (reserve === undefined) {
      return false;
    }
    reserve.amount -= amount;
    this.charged += amount;
    return true;
  }

  #add(amount: number, isCapped: boolean): void {
    this.left += amount;
    this.cap += isCapped ? amount : 0;
  }

  #turn(): Promise<void> {
    this.#queue = this.#queue.then(() => pause(2));
    return this.#queue;
  }
}

/** Calls of all keys, again and again, while something comes in each tenth of a second. Answers how many got what, and how long each of `cappedKey` waited. */
async function tell(store: QueuedStore, comeIn: () => void) {
  const random = new Random(1);
  const reserves = new Reserves({
    store,
    clock: { now: () => new Date(0), monotonicMs: () => performance.now() },
    refusal: ({ outcome }) => new AppError(outcome, "not enough"),
  });
  const endsAtMs = performance.now() + storyMs;
  const answers: Record<string, number> = {};
  const waitsMs: number[] = [];
  const call = async (keyId: string) => {
    const amount = random.pick([1, 7, 60]);
    const hold = await reserves.hold({ workspaceId: "ws", keyId }, amount);
    await pause(10);
    store.charge(hold.reserveId, amount) ? hold.spent() : hold.refused();
    return "ok";
  };
  const calls = Array.from({ length: callerCount }, async (_, caller) => {
    while (performance.now() < endsAtMs) {
      const begunAtMs = performance.now();
      const keyId = `key_${caller % keyCount}`;
      const answer = await withDeadline(() => call(keyId)).catch(({ code }: AppError) => code);
      answers[answer] = (answers[answer] ?? 0) + 1;
      if (keyId === cappedKey) {
        waitsMs.push(performance.now() - begunAtMs);
      }
      await pause(answer === "ok" ? 0 : 20);
    }
  });
  const story = async () => {
    const income = setInterval(comeIn, 100);
    await Promise.all(calls);
    clearInterval(income);
    await reserves.stop();
    isOver = true;
  };
  let isOver = false;
  void story();
  while (!isOver) {
    await afterMicrotasks();
    vi.advanceTimersToNextTimer();
  }
  return { answers, waitsMs };
}

test.each([
  {
    little: "a wallet",
    money: { left: 300, cap: Number.POSITIVE_INFINITY },
    income: 100,
    refusal: "insufficient_balance",
    mostMs: 3_000,
  },
  {
    little: "a key with a cap",
    money: { left: 1_000_000_000, cap: 300, lastsMs: 100 },
    income: 10,
    refusal: "spend_cap_reached",
    mostMs: 160,
  },
])(
  "calls that $little has too little for are refused, not put off",
  { timeout: 120_000 },
  async ({ money, income, refusal, mostMs }) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
    try {
      const store = Object.assign(new QueuedStore(), money);
      const { answers, waitsMs } = await tell(store, () => {
        store.left += income;
        store.cap += income;
      });
      expect(Object.keys(answers).sort()).toEqual(["ok", refusal].sort());
      waitsMs.sort((one, other) => one - other);
      expect(waitsMs[Math.floor(waitsMs.length * 0.99)]).toBeLessThan(mostMs);
    } finally {
      vi.useRealTimers();
    }
  },
);
