import { expect, test, vi } from "vitest";
import { ReceiptIntake } from "../../../../src/capabilities/channels/smpp/receipt-intake.ts";
import type { Receipt } from "../../../../src/outbox/delivery-receipts.ts";
import { captureLog } from "../../../support/log-capture.ts";
import { HandMovedTimers } from "./hand-moved-timers.ts";

function openIntake() {
  const timers = new HandMovedTimers();
  const known = new Set<string>();
  const batches: string[][] = [];
  const state = { isDown: false };
  const { logger, lines } = captureLog();
  const record = async (receipts: readonly Receipt[]) => {
    batches.push(receipts.map(({ messageId }) => messageId));
    if (state.isDown) {
      throw new Error("the database is away");
    }
    return new Set(receipts.map(({ messageId }) => messageId).filter((id) => known.has(id)));
  };
  const intake = new ReceiptIntake({ provider: "smpp", logger, clock: timers, timers, record });
  const take = (messageId: string) => intake.take({ messageId, state: "delivered", at: timers.now(), error: null });
  /** Moves the clock past all the pauses for which an unknown receipt is held. */
  const outlast = async (taken: Promise<unknown>) => {
    for (const pauseMs of [100, 400, 1_500, 3_000]) {
      await vi.waitFor(() => expect(timers.pending).toBe(1), { interval: 1 });
      timers.advance(pauseMs);
    }
    return taken;
  };
  return { timers, known, batches, state, lines, take, outlast };
}

test("receipts that arrive together are recorded together", async () => {
  const { known, batches, take } = openIntake();
  const ids = Array.from({ length: 250 }, (_, index) => `id-${index}`);
  for (const id of ids) {
    known.add(id);
  }
  expect(new Set(await Promise.all(ids.map(take)))).toEqual(new Set(["recorded"]));
  expect(batches.map(({ length }) => length)).toEqual([1, 100, 100, 49]);
});

test("a receipt that is faster than the record of its message is held until that is there", async () => {
  const { timers, known, take } = openIntake();
  const taken = take("early");
  await vi.waitFor(() => expect(timers.pending).toBe(1), { interval: 1 });
  known.add("early");
  timers.advance(100);
  expect(await taken).toBe("recorded");
});

test("a receipt of an unknown message is to come again for a minute, and is another program's then", async () => {
  const { timers, take, outlast } = openIntake();
  expect(await outlast(take("unknown"))).toBe("later");
  timers.advance(54_999);
  const again = take("unknown");
  await vi.waitFor(() => expect(timers.pending).toBe(1), { interval: 1 });
  timers.advance(100);
  expect(await again).toBe("foreign");
});

test("without the database, a receipt is to come again", async () => {
  const { state, known, lines, take } = openIntake();
  known.add("id");
  state.isDown = true;
  expect(await take("id")).toBe("later");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "smpp_receipts_delayed", provider: "smpp", count: 1 },
  ]);
  state.isDown = false;
  expect(await take("id")).toBe("recorded");
});
