/** What calls wait for while a server tidies up its reserves, and what is left of those that nothing was charged to. */
import { expect, test, vi } from "vitest";
import type { ReserveStore } from "../../../src/capabilities/balance/reserve-store.ts";
import { Reserves } from "../../../src/capabilities/balance/reserves.ts";
import { callLimits, withDeadline } from "../../../src/database/call-deadline.ts";
import { AppError } from "../../../src/errors.ts";
import { accountsOf, openWorkspace, query, usePricedApp } from "./balance-fixture.ts";

const app = usePricedApp();

/** A wallet in memory. `whileClosing` runs before a reserve is closed. */
class MemoryStore implements ReserveStore {
  whileClosing: () => void = () => undefined;
  readonly open = new Map<string, number>();
  #left: number;
  #taken = 0;

  constructor(left: number) {
    this.#left = left;
  }

  async take(_spender: unknown, { price, needed, wanted }: Parameters<ReserveStore["take"]>[1]) {
    await Promise.resolve();
    const amount = Math.min(this.#left, Math.max(needed, Math.min(wanted, Math.floor(this.#left / 2))));
    if (amount < price) {
      return { outcome: "insufficient_balance" as const, left: String(this.#left), setAside: "0" };
    }
    const id = `rsv_${++this.#taken}`;
    this.#left -= amount;
    this.open.set(id, amount);
    return { outcome: "taken" as const, id, amount, lastsMs: 30_000 };
  }

  async close(_workspaceId: string, id: string) {
    await Promise.resolve();
    this.whileClosing();
    this.#left += this.open.get(id) ?? 0;
    this.open.delete(id);
  }
}

function openReserves(store: ReserveStore) {
  return new Reserves({
    store,
    clock: { now: () => new Date(), monotonicMs: () => performance.now() },
    refusal: ({ outcome }) => new AppError(outcome, "not enough"),
  });
}

const spender = { workspaceId: "ws", keyId: "key_a" };

test("a spender whose call waits is not forgotten, whenever the server tidies up", async () => {
  const store = new MemoryStore(10);
  const reserves = openReserves(store);
  store.whileClosing = () => reserves.tidy();
  // Each takes all that is left, which the other one has set aside.
  for (const keyId of ["key_a", "key_b", "key_a", "key_b", "key_a"]) {
    (await reserves.hold({ workspaceId: "ws", keyId }, 10)).giveBack();
  }
  expect(await reserves.stop()).toBe(true);
});

test("what is taken for others while a call waits is closed like everything else", async () => {
  const store = new MemoryStore(350);
  const reserves = openReserves(store);
  const held = await reserves.hold(spender, 20);
  const expensive = Promise.resolve(reserves.hold(spender, 200));
  // The expensive call waits for what is held. Cheap ones use up a reserve, so that the next one is taken.
  await vi.waitFor(() => expect(store.open.size).toBe(1));
  for (let calls = 0; store.open.size < 3; calls += 1) {
    expect(calls).toBeLessThan(100);
    (await reserves.hold(spender, 1)).giveBack();
    (await reserves.hold(spender, 1)).spent();
  }
  held.giveBack();
  (await expensive).giveBack();
  expect(await reserves.stop()).toBe(true);
  expect(store.open.size).toBe(0);
});

test("nothing is refused for what this server has set aside and cannot give back", async () => {
  const store = new MemoryStore(100);
  const reserves = openReserves(store);
  (await reserves.hold(spender, 5)).giveBack();
  store.whileClosing = () => {
    throw new Error("the database is away");
  };
  const hold = async () => reserves.hold({ workspaceId: "ws", keyId: "key_b" }, 80);
  await expect(hold()).rejects.toMatchObject({ code: "unavailable" });
  await expect(hold()).rejects.toMatchObject({ code: "unavailable" });
  store.whileClosing = () => undefined;
  expect(await hold()).toMatchObject({ amount: 80 });
});

test("no call is refused for what was asked before it came", async () => {
  let left = 0;
  const answered = Promise.withResolvers<void>();
  const reserves = openReserves({
    async take(_spender, { price, needed }) {
      const then = left;
      await answered.promise;
      return then < price
        ? { outcome: "insufficient_balance", left: String(then), setAside: "0" }
        : { outcome: "taken", id: "rsv_1", amount: needed, lastsMs: 30_000 };
    },
    close: async () => undefined,
  });
  const hold = async () => reserves.hold(spender, 10);
  const early = hold();
  left = 100;
  const late = hold();
  answered.resolve();
  expect(await late).toMatchObject({ amount: 10 });
  await Promise.allSettled([early]);
});

test("no call is refused for what a sweep gave back after it had asked", async () => {
  let left = 100;
  let taken = 0;
  const answered = Promise.withResolvers<void>();
  const reserves = openReserves({
    async take(_spender, { price }) {
      const then = left;
      await (taken > 0 ? answered.promise : undefined);
      if (then < price) {
        return { outcome: "insufficient_balance", left: String(then), setAside: "0" };
      }
      left -= then;
      return { outcome: "taken", id: `rsv_${++taken}`, amount: then, lastsMs: 30_000 };
    },
    close: async () => undefined,
  });
  const hold = await reserves.hold(spender, 100);
  const other = Promise.resolve(reserves.hold({ workspaceId: "ws", keyId: "key_b" }, 80));
  left = 100;
  hold.refused();
  answered.resolve();
  expect(await other).toMatchObject({ amount: 80 });
});

test("a call waits for what others hold as long as a call may, and until nobody needs it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const reserves = openReserves(new MemoryStore(100));
    await reserves.hold(spender, 5);
    const giveUp = new AbortController();
    const hold = async () => reserves.hold({ workspaceId: "ws", keyId: "key_b" }, 80);
    const waits = [
      hold(),
      withDeadline(hold),
      withDeadline(hold, giveUp.signal),
      withDeadline(hold, AbortSignal.abort()),
    ].map((wait) => wait.catch((error: AppError) => error.code));
    expect(await waits[3]).toBe("unavailable");
    giveUp.abort();
    expect(await waits[2]).toBe("unavailable");
    vi.advanceTimersByTime(callLimits.endMs);
    expect(await Promise.all(waits)).toEqual(Array.from({ length: 4 }, () => "unavailable"));
  } finally {
    vi.useRealTimers();
  }
});

test("a reserve that nothing was charged to leaves no entries", async () => {
  const { workspaceId } = await openWorkspace(app, 10_000);
  await query(app.databaseUrl, "SELECT spend_take_reserve($1, '', 'rsv_unused', 'srv_1', 10, 10, 10, 30000)", [
    workspaceId,
  ]);
  await query(app.databaseUrl, "SELECT spend_close_reserve($1, 'rsv_unused')", [workspaceId]);
  const entries = await query(app.databaseUrl, "SELECT kind FROM ledger_entry WHERE workspace_id = $1", [workspaceId]);
  expect(entries).toEqual([{ kind: "top_up" }]);
  await accountsOf(app.databaseUrl, workspaceId);
});
