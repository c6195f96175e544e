import { describe, expect, test, vi } from "vitest";
import type { SendResult } from "../../src/outbox/send-result.ts";
import { useOutbox } from "./outbox-fixture.ts";
import { down, sent } from "./scripted-sender.ts";

const use = useOutbox();

describe("a lane", () => {
  test("makes no more attempts at once than it has places, and keeps the order", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const items = [
      await use.outbox.write("a"),
      await use.outbox.write("a"),
      await use.outbox.write("a"),
      await use.outbox.write("a"),
    ];
    for (const item of items) {
      worker.dispatch(item);
    }
    expect(use.sender.begun).toHaveLength(2);
    for (const item of items) {
      const attempt = await use.sender.next();
      expect(attempt.item.id).toBe(item.id);
      attempt.end(sent);
    }
    await worker.idle();
  });

  test.each<[string, () => Promise<SendResult>]>([
    ["a message that nobody wants any more", async () => ({ kind: "withdrawn", reason: "nobody waits" })],
    ["a secret that is gone", async () => ({ kind: "failed", reason: "the secret is gone", provider: "unknown" })],
    ["an attempt that ended in this server", async () => ({ kind: "retry", reason: "busy", provider: "unknown" })],
    ["an error of ours or of the database", () => Promise.reject(new Error("connection terminated"))],
  ])("whose provider is paused is not opened by %s", async (_name, outcome) => {
    let next: () => Promise<SendResult> = async () => down;
    let begun = 0;
    const worker = use.outbox.server("a", (item, signal) => {
      begun += 1;
      return begun <= 6 ? next() : use.sender.send(item, signal);
    });
    for (let failure = 0; failure < 5; failure += 1) {
      worker.dispatch(await use.outbox.write("a"));
      await worker.idle();
    }
    await use.outbox.clock.advance(1_500);
    next = outcome;
    worker.dispatch(await use.outbox.write("a"));
    await worker.idle();
    expect(begun).toBe(6);
    // On trial still: one at a time.
    worker.dispatch(await use.outbox.write("a"));
    worker.dispatch(await use.outbox.write("a"));
    expect(use.sender.begun).toHaveLength(1);
    expect(use.outbox.log.lines.join("")).not.toContain("provider_resumed");
    (await use.sender.next()).end(sent);
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(use.outbox.log.lines.join("")).toContain("provider_resumed");
  });

  test.each<[string, () => Promise<SendResult>]>([
    ["an error of ours or of the database", () => Promise.reject(new Error("connection terminated"))],
    ["a secret that is gone", async () => ({ kind: "failed", reason: "the secret is gone", provider: "unknown" })],
  ])("is not paused by %s, nor are failures of its provider forgotten over it", async (_name, outcome) => {
    let next: () => Promise<SendResult> = outcome;
    const worker = use.outbox.server("a", () => next());
    const attempt = async (result: () => Promise<SendResult>) => {
      next = result;
      worker.dispatch(await use.outbox.write("a"));
      await worker.idle();
    };
    for (let time = 0; time < 6; time += 1) {
      await attempt(outcome);
    }
    expect(use.outbox.log.lines.join("")).not.toContain("provider_paused");
    for (let failure = 0; failure < 5; failure += 1) {
      await attempt(outcome);
      await attempt(async () => down);
    }
    expect(use.outbox.log.lines.join("")).toContain("provider_paused");
  });

  test("is paused and goes on without a line in the log where the sender logs the pauses of its providers", async () => {
    let result: SendResult = down;
    const worker = use.outbox.server("a", async () => ({ ...result, logsPauses: true }));
    const attempt = async () => {
      worker.dispatch(await use.outbox.write("a"));
      await worker.idle();
    };
    for (let failure = 0; failure < 5; failure += 1) {
      await attempt();
    }
    result = sent;
    const waiting = await use.outbox.write("a");
    worker.dispatch(waiting);
    expect(await use.outbox.state(waiting)).toMatchObject({ status: "pending" });
    await use.outbox.clock.advance(1_000);
    await worker.poll();
    await worker.idle();
    expect(await use.outbox.state(waiting)).toMatchObject({ status: "sent" });
    expect(use.outbox.log.lines.join("")).not.toMatch(/provider_(paused|resumed)/);
  });

  test("is not paused by messages that expired on their way", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    for (let time = 0; time < 6; time += 1) {
      worker.dispatch(await use.outbox.write("a", { ttlMs: 1_000 }));
      const attempt = await use.sender.next();
      await use.outbox.clock.advance(1_000);
      expect(attempt.signal.aborted).toBe(true);
      await worker.idle();
    }
    expect(use.outbox.log.lines.join("")).not.toContain("provider_paused");
  });

  test("that is full does not hold up another", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    for (const lane of ["mail", "mail", "mail", "chat"]) {
      worker.dispatch(await use.outbox.write("a", { lane }));
    }
    expect(use.sender.begun.map((attempt) => attempt.item.lane)).toEqual(["mail", "mail", "chat"]);
    for (let count = 0; count < 4; count += 1) {
      (await use.sender.next()).end(sent);
    }
    await worker.idle();
  });

  test("drops what waits too long, so that a server with a free place can claim it", async () => {
    const busy = use.outbox.server("a", use.sender.send);
    const items = [await use.outbox.write("a"), await use.outbox.write("a"), await use.outbox.write("a")];
    for (const item of items) {
      busy.dispatch(item);
    }
    busy.start();
    const first = await use.sender.next();
    const second = await use.sender.next();
    await use.outbox.clock.advance(6_000);
    await vi.waitFor(async () => expect(await use.outbox.claimLeftMs(first.item)).toBe(10_000), { interval: 5 });
    await use.outbox.clock.advance(4_000);

    const free = use.outbox.server("b", use.sender.send);
    await free.poll();
    expect((await use.sender.next()).item.id).toBe(items[2]?.id);
    first.end(sent);
    second.end(sent);
    await busy.idle();
    expect(use.sender.begun).toHaveLength(3);
  });

  test("works off a backlog without waiting for the next poll", async () => {
    const items = await Promise.all(Array.from({ length: 40 }, () => use.outbox.write("dead")));
    await use.outbox.clock.advance(10_000);
    let delivered = 0;
    const done = new Promise<void>((resolve) => {
      const worker = use.outbox.server("b", async () => {
        delivered += 1;
        if (delivered === items.length) {
          resolve();
        }
        return sent;
      });
      void worker.poll();
    });
    await done;
    expect(delivered).toBe(40);
  });

  test("works off a backlog as fast as a provider takes it, however long each message takes", async () => {
    const items = await Promise.all(Array.from({ length: 7 }, () => use.outbox.write("dead")));
    await use.outbox.clock.advance(10_000);
    const worker = use.outbox.server("b", use.sender.send);
    await worker.poll();
    // Both places are taken, so that this finds nothing worth claiming.
    await worker.poll();
    for (const [index] of items.entries()) {
      await vi.waitFor(
        () => expect(use.sender.begun.length).toBeGreaterThanOrEqual(Math.min(index + 2, items.length)),
        { timeout: 20_000 },
      );
      (await use.sender.next()).end(sent);
    }
    await worker.idle();
    expect(use.sender.begun).toHaveLength(items.length);
  });
});

describe("a provider that keeps failing", () => {
  test("is left alone, then tried with one message, then used again; nothing is lost", async () => {
    let works = false;
    let calls = 0;
    const worker = use.outbox.server("a", async () => {
      calls += 1;
      return works ? sent : down;
    });
    const items = await Promise.all(Array.from({ length: 12 }, () => use.outbox.write("a")));
    for (const item of items) {
      worker.dispatch(item);
    }
    await untilCalls(() => calls, 5);
    expect(calls).toBeLessThanOrEqual(6);

    await use.outbox.clock.advance(500);
    await worker.poll();
    expect(calls).toBeLessThanOrEqual(6);

    const before = calls;
    await use.outbox.clock.advance(600);
    await worker.poll();
    await untilCalls(() => calls, before + 1);
    expect(calls).toBe(before + 1);

    works = true;
    for (let second = 0; second < 20; second += 1) {
      await use.outbox.clock.advance(1_000);
      await worker.poll();
    }
    await worker.idle();
    const states = await Promise.all(items.map((item) => use.outbox.state(item)));
    expect(states.map((state) => state?.status)).toEqual(items.map(() => "sent"));
    expect(use.outbox.log.lines.join("")).toContain("provider_paused");
    expect(use.outbox.log.lines.join("")).toContain("provider_resumed");
  });
});

async function untilCalls(calls: () => number, atLeast: number): Promise<void> {
  await vi.waitFor(() => expect(calls()).toBeGreaterThanOrEqual(atLeast), { interval: 5 });
}
