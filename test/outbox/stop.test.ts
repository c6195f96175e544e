import { describe, expect, test, vi } from "vitest";
import { useOutbox } from "./outbox-fixture.ts";
import { ScriptedSender, sent } from "./scripted-sender.ts";

const use = useOutbox();

describe("a worker that stops", () => {
  test("finishes what it holds, the waiting ones included", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const items = [await use.outbox.write("a"), await use.outbox.write("a"), await use.outbox.write("a")];
    for (const item of items) {
      worker.dispatch(item);
    }
    let hasStopped = false;
    const stopped = worker.stop(10_000).then(() => {
      hasStopped = true;
    });
    for (const _ of items) {
      expect(hasStopped).toBe(false);
      (await use.sender.next()).end(sent);
    }
    await stopped;
    const states = await Promise.all(items.map((item) => use.outbox.state(item)));
    expect(states.map((state) => state?.status)).toEqual(["sent", "sent", "sent"]);
    expect(use.outbox.clock.pendingTimers).toBe(0);
  });

  test("still sends what a request commits meanwhile, and claims nothing", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const orphan = await use.outbox.write("dead");
    await use.outbox.clock.advance(10_000);
    worker.dispatch(await use.outbox.write("a"));
    const stopped = worker.stop(10_000);
    worker.dispatch(await use.outbox.write("a"));
    await worker.poll();
    (await use.sender.next()).end(sent);
    (await use.sender.next()).end(sent);
    await stopped;
    expect(use.sender.begun).toHaveLength(2);
    expect(await use.outbox.state(orphan)).toMatchObject({ status: "pending", claim: 1 });
  });

  test("aborts what outlasts the grace period, and releases all of it to other servers at once", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    worker.start();
    const items = [await use.outbox.write("a"), await use.outbox.write("a"), await use.outbox.write("a")];
    for (const item of items) {
      worker.dispatch(item);
    }
    const stopped = worker.stop(5_000);
    await vi.waitFor(() => expect(use.outbox.clock.pendingTimers).toBe(4), { interval: 5 });
    await use.outbox.clock.advance(5_000);
    await stopped;
    expect(use.sender.begun.map((attempt) => attempt.signal.aborted)).toEqual([true, true]);

    const taken = new ScriptedSender();
    const other = use.outbox.server("b", taken.send, { lanes: { mail: 10 } });
    await other.poll();
    expect(taken.begun.map((attempt) => attempt.item.id).sort()).toEqual(items.map((item) => item.id).sort());
    expect(use.outbox.clock.pendingTimers).toBe(3);
  });
});
