import { describe, expect, test, vi } from "vitest";
import { createId } from "../../src/crypto/ids.ts";

import { querySql } from "../support/sql.ts";
import { useOutbox } from "./outbox-fixture.ts";
import { down, type PendingAttempt, sent } from "./scripted-sender.ts";

const use = useOutbox();

const laneGroups = { hook: { placesEach: 2, places: 6 } };

/** Writes messages that nobody has claimed. */
async function write(lane: string, count = 1, ttlMs = 300_000): Promise<string[]> {
  const ids = Array.from({ length: count }, () => createId("dlv"));
  const text = `
    INSERT INTO outbox (workspace_id, id, kind, lane, subject_id, payload_sealed, available_at, created_at, expires_at)
    SELECT $1, id, 'test', $2, id, '', byond_now(), byond_now(), byond_now() + $4::float8 * interval '1 millisecond'
    FROM unnest($3::text[]) AS message (id)`;
  await querySql(use.outbox.database, { name: "test_write_unclaimed", text }, [
    use.outbox.workspaceId,
    lane,
    ids,
    ttlMs,
  ]);
  return ids;
}

async function lanes(): Promise<string[]> {
  const text = "SELECT lane FROM outbox_lane ORDER BY lane";
  const rows = await querySql<{ lane: string }>(use.outbox.database, { name: "test_lanes", text }, []);
  return rows.map(({ lane }) => lane);
}

const byLane = (attempts: readonly PendingAttempt[]) => attempts.map(({ item }) => item.lane).sort();

describe("a group of lanes", () => {
  test("has a lane for each receiver: one that does not answer delays no other", async () => {
    const done: string[] = [];
    const begun: string[] = [];
    const worker = use.outbox.server(
      "a",
      async (item, signal) => {
        begun.push(item.lane);
        if (item.lane === "hook/slow") {
          return use.sender.send(item, signal);
        }
        done.push(item.id);
        return sent;
      },
      { laneGroups },
    );
    await write("hook/slow", 50);
    const fast = [...(await write("hook/x", 10)), ...(await write("hook/y", 10))];
    worker.pollSoon();
    await vi.waitFor(async () => expect(new Set(await statuses(fast))).toEqual(new Set(["sent"])), { timeout: 20_000 });
    expect(done.toSorted()).toEqual(fast.toSorted());
    expect(begun.filter((lane) => lane === "hook/slow")).toHaveLength(2);
    // The turns of the lanes that are empty now come when the last claims would have ended. The first poll may be one that runs already.
    await use.outbox.clock.advance(10_000);
    await worker.poll();
    await worker.poll();
    expect(await lanes()).toEqual(["hook/slow"]);
  });

  test("takes turns: with more due than places, every lane gets some", async () => {
    const worker = use.outbox.server("a", use.sender.send, { laneGroups });
    await write("hook/a", 20);
    await write("hook/b", 20);
    await write("hook/c", 20);
    await write("hook/d", 20);
    await use.outbox.clock.advance(1);
    await worker.poll();
    expect(byLane(use.sender.begun)).toEqual(["hook/a", "hook/a", "hook/b", "hook/b", "hook/c", "hook/c"]);
    (await use.sender.next()).end(sent);
    await vi.waitFor(() => expect(use.sender.begun.at(6)?.item.lane).toBe("hook/d"), { timeout: 20_000 });
  });

  test("gives a lane of a failing receiver no place during its pause, and the other lanes theirs", async () => {
    const worker = use.outbox.server("a", async (item) => (item.lane === "hook/bad" ? down : sent), { laneGroups });
    await write("hook/bad", 40);
    await worker.poll();
    await worker.idle();
    const attempts = await querySql<{ attempts: number }>(
      use.outbox.database,
      { name: "test_sum", text: "SELECT sum(attempts)::int AS attempts FROM outbox WHERE lane = 'hook/bad'" },
      [],
    );
    expect(attempts[0]?.attempts).toBeLessThan(10);
    const good = await write("hook/good", 3);
    await worker.poll();
    await worker.idle();
    expect(await statuses(good)).toEqual(["sent", "sent", "sent"]);
  });

  test("repeats a message as its kind says", async () => {
    const backoffMs = vi.fn((attempts: number) => attempts * 60_000);
    const send = vi.fn(async () => down);
    const worker = use.outbox.server("a", send, { laneGroups, senders: { test: { send, backoffMs } } });
    await write("hook/x");
    await worker.poll();
    await worker.idle();
    await use.outbox.clock.advance(59_000);
    await worker.poll();
    await worker.idle();
    expect(send).toHaveBeenCalledTimes(1);
    await use.outbox.clock.advance(1_000);
    await worker.poll();
    await worker.idle();
    expect(send).toHaveBeenCalledTimes(2);
    expect(backoffMs.mock.calls.map(([attempts]) => attempts)).toEqual([1, 2]);
    await use.outbox.clock.advance(119_000);
    await worker.poll();
    expect(send).toHaveBeenCalledTimes(2);
  });

  test("gives up what expired unsent", async () => {
    const worker = use.outbox.server("a", async () => sent, { laneGroups });
    const ids = await write("hook/x", 3, 1_000);
    await use.outbox.clock.advance(1_000);
    // Each time as many as the lane has places.
    await worker.poll();
    await worker.poll();
    await worker.idle();
    expect(await statuses(ids)).toEqual(["expired", "expired", "expired"]);
    expect(await lanes()).toEqual([]);
  });

  test("loses nothing of a server that crashed, and nothing that is written while others claim", async () => {
    const delivered = new Map<string, number>();
    const workers = ["a", "b", "c"].map((name) =>
      use.outbox.server(
        name,
        async ({ id }) => {
          delivered.set(id, (delivered.get(id) ?? 0) + 1);
          return sent;
        },
        { laneGroups: { hook: { placesEach: 4, places: 50 } } },
      ),
    );
    const crashed = await Promise.all(Array.from({ length: 5 }, () => use.outbox.write("dead", { lane: "hook/x" })));
    await use.outbox.clock.advance(10_000);
    const ids = crashed.map(({ id }) => id);
    const writing = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 25; round++) {
          ids.push(...(await write(`hook/${(writer + round) % 3}`, 2)));
        }
      }),
    );
    let isWriting = true;
    void writing.then(() => {
      isWriting = false;
    });
    while (isWriting) {
      await Promise.all(workers.map((worker) => worker.poll()));
    }
    await writing;
    await vi.waitFor(async () => {
      await Promise.all(workers.map((worker) => worker.poll()));
      expect(delivered.size).toBe(ids.length);
    }, 20_000);
    await Promise.all(workers.map((worker) => worker.idle()));
    expect([...delivered.values()].every((times) => times === 1)).toBe(true);
    await use.outbox.clock.advance(10_000);
    await workers[0]?.poll();
    await workers[0]?.poll();
    expect(await lanes()).toEqual([]);
  });
});

async function statuses(ids: readonly string[]): Promise<string[]> {
  const text = "SELECT status FROM outbox WHERE id = ANY ($1::text[])";
  const rows = await querySql<{ status: string }>(use.outbox.database, { name: "test_statuses", text }, [ids]);
  return rows.map(({ status }) => status);
}
