/** What calls wait for while a server tidies up its reserves, and what is left of those that nothing was charged to. */
import { expect, test } from "vitest";
import type { ReserveStore } from "../../../src/capabilities/balance/reserve-store.ts";
import { Reserves } from "../../../src/capabilities/balance/reserves.ts";
import { AppError } from "../../../src/errors.ts";
import { accountsOf, openWorkspace, query, usePricedApp } from "./balance-fixture.ts";

const app = usePricedApp();

/** A wallet in memory. `whileClosing` runs before a reserve is closed. */
class MemoryStore implements ReserveStore {
  whileClosing: () => void = () => undefined;
  readonly #open = new Map<string, number>();
  #left: number;
  #taken = 0;

  constructor(left: number) {
    this.#left = left;
  }

  async take(_spender: unknown, { price, needed, wanted }: Parameters<ReserveStore["take"]>[1]) {
    await Promise.resolve();
    if (this.#left < price) {
      return { outcome: "insufficient_balance" as const, left: String(this.#left), setAside: "0" };
    }
    const amount = Math.min(this.#left, Math.max(needed, wanted));
    const id = `rsv_${++this.#taken}`;
    this.#left -= amount;
    this.#open.set(id, amount);
    return { outcome: "taken" as const, id, amount, lastsMs: 30_000 };
  }

  async close(_workspaceId: string, id: string) {
    await Promise.resolve();
    this.whileClosing();
    this.#left += this.#open.get(id) ?? 0;
    this.#open.delete(id);
  }
}

function openReserves(store: ReserveStore) {
  return new Reserves({
    store,
    clock: { now: () => new Date(), monotonicMs: () => performance.now() },
    refusal: ({ outcome }) => new AppError(outcome, "not enough"),
  });
}

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

test("a server that cannot close its reserves refuses, and does not ask for ever", async () => {
  const store = new MemoryStore(10);
  const reserves = openReserves(store);
  (await reserves.hold({ workspaceId: "ws", keyId: "key_a" }, 10)).giveBack();
  store.whileClosing = () => {
    throw new Error("the database is away");
  };
  const hold = async () => reserves.hold({ workspaceId: "ws", keyId: "key_b" }, 10);
  await expect(hold()).rejects.toThrow("not enough");
  await expect(hold()).rejects.toThrow("not enough");
  store.whileClosing = () => undefined;
  expect(await reserves.stop()).toBe(false);
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
