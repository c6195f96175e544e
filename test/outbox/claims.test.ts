import { describe, expect, test, vi } from "vitest";
import { querySql } from "../support/sql.ts";
import { BreakableDatabase } from "./breakable-database.ts";
import { useOutbox } from "./outbox-fixture.ts";
import { greylisted, sent } from "./scripted-sender.ts";

const use = useOutbox();

describe("the message of a server that crashed", () => {
  test("is taken over when its claim has expired, not before", async () => {
    const worker = use.outbox.server("b", use.sender.send);
    const item = await use.outbox.write("dead");
    await use.outbox.clock.advance(9_999);
    await worker.poll();
    expect(use.sender.begun).toHaveLength(0);
    await use.outbox.clock.advance(1);
    await worker.poll();
    (await use.sender.next()).end(sent);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", claim: 2, claimed_by: "b" });
  });

  test("is taken over by one of several servers that poll at the same time", async () => {
    const items = await Promise.all(Array.from({ length: 20 }, () => use.outbox.write("dead")));
    await use.outbox.clock.advance(10_000);
    const delivered: string[] = [];
    const workers = ["b", "c", "d"].map((name) =>
      use.outbox.server(name, async (item) => {
        delivered.push(item.id);
        return sent;
      }),
    );
    await Promise.all(workers.map((worker) => worker.poll()));
    await Promise.all(workers.map((worker) => worker.idle()));
    expect(delivered.sort()).toEqual(items.map((item) => item.id).sort());
  });
});

describe("a claim", () => {
  test("is renewed while the attempt is under way", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    worker.start();
    const other = use.outbox.server("b", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    for (let round = 0; round < 6; round += 1) {
      await use.outbox.clock.advance(4_000);
      await vi.waitFor(async () => expect(await use.outbox.claimLeftMs(item)).toBe(10_000), { interval: 5 });
      // The attempt's time-out, the next poll and the next renewal.
      await vi.waitFor(() => expect(use.outbox.clock.pendingTimers).toBe(3), { interval: 5 });
    }
    await other.poll();
    expect(use.sender.begun).toHaveLength(1);
    expect(attempt.signal.aborted).toBe(false);
    attempt.end(sent);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", claim: 1, claimed_by: "a" });
  });

  test("is not renewed any more once the attempt is recorded, though a renewal was under way", async () => {
    const link = new BreakableDatabase(use.outbox.database);
    let letRenew = () => {};
    link.delays.set("outbox_renew_claims", new Promise((resolve) => (letRenew = resolve)));
    const worker = use.outbox.server("a", use.sender.send, { database: link });
    worker.start();
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await use.outbox.clock.advance(4_000);
    attempt.end(greylisted);
    await worker.idle();
    letRenew();
    // The next poll and, once the renewal is done, the next one.
    await vi.waitFor(() => expect(use.outbox.clock.pendingTimers).toBe(2), { interval: 5 });
    expect(await use.outbox.claimLeftMs(item)).toBe(750);
  });

  test("that was lost aborts the attempt, and its outcome does not count", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const other = use.outbox.server("b", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await use.outbox.clock.advance(10_000);
    await other.poll();
    const takenOver = await use.sender.next();

    worker.start();
    await use.outbox.clock.advance(4_000);
    await vi.waitFor(() => expect(attempt.signal.aborted).toBe(true), { interval: 5 });
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "pending", attempts: 0, claimed_by: "b" });

    takenOver.end(sent);
    await other.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", attempts: 1 });
    expect(await use.outbox.attempts(item)).toMatchObject([
      { claim: 1, state: "retried", error: "the message was deleted, or taken over by another server" },
      { claim: 2, state: "sent" },
    ]);
  });

  test("that was lost does not keep the server from recording that it sent the message", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const other = use.outbox.server("b", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await use.outbox.clock.advance(10_000);
    await other.poll();
    const takenOver = await use.sender.next();
    attempt.end(sent);
    await worker.idle();
    takenOver.end(greylisted);
    await other.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", attempts: 1 });
  });
});

describe("a message that is ended meanwhile", () => {
  const end = (id: string) =>
    querySql(
      use.outbox.database,
      {
        name: "test_end",
        text: "UPDATE outbox SET status = 'expired', finished_at = byond_now(), charged_to = 'rsv_1' WHERE id = $1",
      },
      [id],
    );

  test("keeps its attempt, so that it is known whether it was sent", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    worker.start();
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await end(item.id);
    for (let round = 0; round < 3; round += 1) {
      await use.outbox.clock.advance(4_000);
      // The attempt's time-out, the next poll and the next renewal.
      await vi.waitFor(() => expect(use.outbox.clock.pendingTimers).toBe(3), { interval: 5 });
    }
    expect(attempt.signal.aborted).toBe(false);
    attempt.end(sent);
    await worker.idle();
    expect(await use.outbox.attempts(item)).toMatchObject([{ claim: 1, state: "sent" }]);
    expect(await use.outbox.state(item)).toMatchObject({ status: "expired", claimed_by: "a" });
  });

  test("is under no claim any more if its provider did not take it", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    await end(item.id);
    attempt.end(greylisted);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "expired", claimed_by: null });
  });

  test("is under no claim any more if it was dropped before its attempt", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => use.outbox.write("a")));
    for (const item of [first, second, third]) {
      worker.dispatch(item ?? never());
    }
    await use.sender.next();
    await use.sender.next();
    await end(third?.id ?? "");
    await use.outbox.clock.advance(6_000);
    await worker.poll();
    expect(await use.outbox.state(third ?? never())).toMatchObject({ status: "expired", claimed_by: null });
    expect(await use.outbox.state(first ?? never())).toMatchObject({ status: "pending", claimed_by: "a" });
  });

  test("is under no claim any more if the server stops before its attempt", async () => {
    const worker = use.outbox.server("a", use.sender.send);
    const items = await Promise.all([1, 2, 3].map(() => use.outbox.write("a")));
    items.forEach((item) => void worker.dispatch(item));
    await use.sender.next();
    await use.sender.next();
    const third = items[2] ?? never();
    await end(third.id);
    await use.outbox.stop();
    expect(await use.outbox.state(third)).toMatchObject({ status: "expired", claimed_by: null });
  });
});

test("what is dropped here may be claimed at once, and is not released under a newer claim", async () => {
  const worker = use.outbox.server("a", use.sender.send);
  const items = await Promise.all([1, 2, 3].map(() => use.outbox.write("a")));
  items.forEach((item) => void worker.dispatch(item));
  const attempts = [await use.sender.next(), await use.sender.next()];
  await use.outbox.clock.advance(6_000);
  await worker.poll();
  const third = items[2] ?? never();
  expect(await use.outbox.state(third)).toMatchObject({ status: "pending", claimed_by: null });
  const other = use.outbox.server("b", use.sender.send);
  await other.poll();
  const taken = await use.sender.next();
  expect(taken.item.id).toBe(third.id);
  await worker.poll();
  expect(await use.outbox.state(third)).toMatchObject({ status: "pending", claim: 2, claimed_by: "b" });
  for (const attempt of [...attempts, taken]) {
    attempt.end(sent);
  }
  await Promise.all([worker.idle(), other.idle()]);
});

function never(): never {
  throw new TypeError("there is none");
}

describe("while the database is unavailable", () => {
  test("an outcome is kept until it can be recorded, and the message not sent again", async () => {
    const link = new BreakableDatabase(use.outbox.database);
    const worker = use.outbox.server("a", use.sender.send, { database: link });
    const item = await use.outbox.write("a");
    worker.dispatch(item);
    const attempt = await use.sender.next();
    link.isBroken = true;
    attempt.end(sent);
    const refusals = async (count: number) => {
      await vi.waitFor(() => expect([link.refused, use.outbox.clock.pendingTimers]).toEqual([count, 1]), {
        interval: 5,
      });
    };
    await refusals(1);
    await use.outbox.clock.advance(100);
    await refusals(2);
    // The claim runs out meanwhile, and the server that made it finds the row due.
    await use.outbox.clock.advance(10_000);
    await refusals(3);
    link.isBroken = false;
    await worker.poll();
    expect(use.sender.begun).toHaveLength(1);
    await use.outbox.clock.advance(1_000);
    await worker.idle();
    expect(await use.outbox.state(item)).toMatchObject({ status: "sent", attempts: 1 });
  });

  test("one line is logged, and one when it is available again", async () => {
    const link = new BreakableDatabase(use.outbox.database);
    const worker = use.outbox.server("a", use.sender.send, { database: link });
    link.isBroken = true;
    await worker.poll();
    await worker.poll();
    link.isBroken = false;
    await worker.poll();
    const events = use.outbox.log.lines.map((line) => JSON.parse(line).event);
    expect(events).toEqual(["delivery_interrupted", "delivery_resumed"]);
  });

  test("no more is sent than there are places: what could not be recorded might be sent again", async () => {
    const link = new BreakableDatabase(use.outbox.database);
    const worker = use.outbox.server("a", use.sender.send, { database: link });
    const items = await Promise.all(Array.from({ length: 5 }, () => use.outbox.write("a")));
    for (const item of items) {
      worker.dispatch(item);
    }
    link.isBroken = true;
    (await use.sender.next()).end(sent);
    (await use.sender.next()).end(sent);
    await vi.waitFor(() => expect([link.refused, use.outbox.clock.pendingTimers]).toEqual([2, 2]), { interval: 5 });
    expect(use.sender.begun).toHaveLength(2);

    link.isBroken = false;
    await use.outbox.clock.advance(100);
    for (let count = 2; count < items.length; count += 1) {
      (await use.sender.next()).end(sent);
    }
    await worker.idle();
    const states = await Promise.all(items.map((item) => use.outbox.state(item)));
    expect(states.map((state) => state?.status)).toEqual(items.map(() => "sent"));
  });
});
