import { describe, expect, test, vi } from "vitest";
import { BreakableDatabase } from "./breakable-database.ts";
import { useOutbox } from "./outbox-fixture.ts";
import { greylisted, sent } from "./scripted-sender.ts";

const use = useOutbox();

describe("an attempt", () => {
  test("is made at once for a message that this server just wrote, and recorded", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({
      status: "sent",
      attempts: 1,
      last_error: null,
      payload_sealed: null,
    });
    expect(await use.outbox.attempts(item)).toMatchObject([
      { claim: 1, lane: "mail", state: "sent", provider_message_id: "pm_1", error: null },
    ]);
  });

  test("that may succeed later is repeated when its back-off is over, not before", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    (await use.sender.next()).end(greylisted);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "pending", attempts: 1, last_error: "later" });

    await use.outbox.clock.advance(749);
    await worker.poll();
    expect(use.sender.begun).toHaveLength(1);

    await use.outbox.clock.advance(1);
    await worker.poll();
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", attempts: 2, last_error: null });
    expect(await use.outbox.attempts(item)).toMatchObject([
      { claim: 1, state: "retried", error: "later" },
      { claim: 2, state: "sent", error: null },
    ]);
  });

  test("waits as long as the provider asks", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    (await use.sender.next()).end({ ...greylisted, afterMs: 20_000 });
    await worker.idle();
    await use.outbox.clock.advance(19_999);
    await worker.poll();
    await use.outbox.clock.advance(1);
    await worker.poll();
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(use.sender.begun).toHaveLength(2);
  });

  test("is repeated at once where another provider may do better, and no poll is waited for", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    (await use.sender.next()).end({ ...greylisted, afterMs: 0 });
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", attempts: 2 });
  });

  test("is made at a message that a poll claims while the answer about the attempt before is on its way", async () => {
    const link = new BreakableDatabase(use.outbox.database);
    const answer = Promise.withResolvers<void>();
    link.lateAnswers.set("outbox_record_attempt", answer.promise);
    const worker = use.outbox.server("a", use.sender.send, { database: link });
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    (await use.sender.next()).end(greylisted);
    await vi.waitFor(async () => expect(await use.outbox.state(item)).toMatchObject({ attempts: 1 }), { interval: 5 });
    await use.outbox.clock.advance(750);
    await worker.poll();
    expect(await use.outbox.state(item)).toMatchObject({ claim: 2 });
    answer.resolve();
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(await use.outbox.attempts(item)).toMatchObject([
      { claim: 1, state: "retried" },
      { claim: 2, state: "sent" },
    ]);
  });

  test("that was refused is the last one; the reason is kept, the payload is not", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    (await use.sender.next()).end({ kind: "failed", reason: "no such mailbox", provider: "works" });
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({
      status: "failed",
      attempts: 1,
      last_error: "no such mailbox",
      payload_sealed: null,
    });
    expect(await use.outbox.attempts(item)).toMatchObject([{ state: "failed", error: "no such mailbox" }]);
  });

  test("is aborted when it takes too long, and repeated", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await use.outbox.clock.advance(30_000);
    expect(attempt.signal.aborted).toBe(true);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "pending", last_error: "took longer than 30 s" });
  });

  test("whose sender throws is repeated, and logged", async () => {
    const worker = use.outbox.server("a", async () => {
      throw new Error("bug");
    });
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({
      status: "pending",
      attempts: 1,
      last_error: "internal error",
    });
    expect(use.outbox.log.lines.join("")).toContain("sender_failed");
  });

  test("of a kind that this server does not know is left for one that does", async () => {
    const old = use.outbox.server("old", use.sender.send);
    const item = await use.outbox.write("old", { kind: "newer" });
    old.dispatch(item);
    await old.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "pending" });
    await use.outbox.clock.advance(1_000);
    const recent = use.outbox.server("recent", use.sender.send, { senders: { newer: use.sender } });
    await recent.poll();
    (await use.sender.next()).end(sent);
    await recent.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", claimed_by: "recent" });
  });
});

describe("an expired message", () => {
  test.each([
    ["though it was waiting for a place", 4_000],
    ["nor in its last 100 ms, when no provider could answer in time", 3_901],
  ])("is not sent, %s", async (_, waitedMs) => {
    const worker = use.outbox.server("a", use.sender.send);
    const items = [
      await use.outbox.write("a"),
      await use.outbox.write("a"),
      await use.outbox.write("a", { ttlMs: 4_000 }),
    ];
    for (const item of items) {
      worker.dispatch(item);
    }
    await use.outbox.clock.advance(waitedMs);
    (await use.sender.next()).end(sent);
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(use.sender.begun).toHaveLength(2);
  });

  test("is aborted in the middle of an attempt at the moment it expires, and not repeated", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a", { ttlMs: 3_000 });
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await use.outbox.clock.advance(2_999);
    expect(attempt.signal.aborted).toBe(false);
    await use.outbox.clock.advance(1);
    expect(attempt.signal.aborted).toBe(true);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "expired", last_error: "expired on its way" });
  });

  test("is given up when the next attempt would come too late", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a", { ttlMs: 750 });
    worker.dispatch(item);
    (await use.sender.next()).end(greylisted);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({
      status: "expired",
      last_error: "later",
      payload_sealed: null,
    });
  });

  test("that nobody sent is never claimed, and is marked as expired", async () => {
    const worker = use.outbox.server("b", use.sender.send);
    const item = await use.outbox.write("dead", { ttlMs: 12_000 });
    await use.outbox.clock.advance(12_000);
    await worker.poll();
    await worker.idle();
    expect(use.sender.begun).toHaveLength(0);
    expect(await use.outbox.state(item)).toMatchObject({
      status: "expired",
      attempts: 0,
      last_error: "expired before it could be sent",
      payload_sealed: null,
    });
  });
});
