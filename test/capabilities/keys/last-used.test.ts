/** `last_used_at`: at most ten seconds behind, written at shutdown, and no request waits for a write. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LastUsed } from "../../../src/capabilities/keys/last-used.ts";
import { requireTime, whileClientWaits, withDeadline } from "../../../src/database/call-deadline.ts";
import type { Queryable } from "../../../src/database/database.ts";
import { startTestApp } from "../../support/app.ts";
import { captureLog } from "../../support/log-capture.ts";

describe("in batches", () => {
  const writes: unknown[][] = [];
  let failing = false;
  const database: Queryable = {
    async run(statement, values) {
      requireTime();
      if (failing) {
        throw new Error("the database is away");
      }
      writes.push(JSON.parse(JSON.stringify(statement.bind(values).values)));
      return [];
    },
  };
  const log = captureLog();
  const create = () =>
    new LastUsed({
      database,
      clock: { now: () => new Date(), monotonicMs: () => performance.now() },
      logger: log.logger,
    });

  beforeEach(() => {
    writes.length = 0;
    failing = false;
    vi.useFakeTimers({ now: new Date("2026-06-15T09:40:00Z") });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("a thousand uses of three keys are one write within ten seconds, with the last use of each", async () => {
    const lastUsed = create();
    for (let index = 0; index < 1_000; index++) {
      lastUsed.touch(`key_${index % 3}`);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    lastUsed.touch("key_0");
    expect(writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(writes).toEqual([
      [
        ["key_0", "key_1", "key_2"],
        ["2026-06-15T09:40:01.000Z", "2026-06-15T09:40:00.000Z", "2026-06-15T09:40:00.000Z"],
      ],
    ]);
  });

  test("without use there is no write, and no timer that would keep the process", async () => {
    // Others in this process may have timers.
    const timersOfOthers = vi.getTimerCount();
    const lastUsed = create();
    expect(vi.getTimerCount()).toBe(timersOfOthers);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(writes).toHaveLength(0);
    lastUsed.touch("key_0");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(writes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(writes).toHaveLength(1);
  });

  test("a use during a write goes into the next batch", async () => {
    const lastUsed = create();
    lastUsed.touch("key_0");
    const flushing = lastUsed.flush();
    lastUsed.touch("key_1");
    await flushing;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(writes.map(([keys]) => keys)).toEqual([["key_0"], ["key_1"]]);
  });

  test("a batch is written whatever the deadline of the request that began it", async () => {
    const lastUsed = create();
    await withDeadline(() =>
      whileClientWaits(performance.now(), async () => {
        lastUsed.touch("key_0");
        await lastUsed.flush();
      }),
    );
    expect(writes).toHaveLength(1);
  });

  test("what cannot be written is written later, with the newest time of each key", async () => {
    const lastUsed = create();
    failing = true;
    lastUsed.touch("key_0");
    lastUsed.touch("key_1");
    await vi.advanceTimersByTimeAsync(5_000);
    lastUsed.touch("key_0");
    failing = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(writes).toEqual([
      [
        ["key_0", "key_1"],
        ["2026-06-15T09:40:05.000Z", "2026-06-15T09:40:00.000Z"],
      ],
    ]);
    expect(log.lines.join()).toContain("last_use_not_recorded");
  });
});

test("through the front door: null before, in whole seconds after, also of uses just before the server stopped", async () => {
  await using first = await startTestApp();
  const { session } = await first.signUp();
  const { body } = await first.rest("POST", "/api-keys", { session, body: { name: "used" } });
  const second = await first.startAnother();
  const lastUsedAt = async () => {
    const list = await first.rest("GET", "/api-keys", { session });
    return list.body.keys[0].last_used_at;
  };
  expect(await lastUsedAt()).toBeNull();
  const before = Math.floor(Date.now() / 1000) * 1000;
  for (let call = 0; call < 5; call++) {
    expect((await second.rest("GET", "/lookup?number=1", { key: body.key })).status).toBe(200);
  }
  expect(await lastUsedAt()).toBeNull();
  await second[Symbol.asyncDispose]();
  const written = await lastUsedAt();
  expect(written).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(Date.parse(written)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(written)).toBeLessThanOrEqual(Date.now());
});

test("a refused call does not count as a use", async () => {
  await using app = await startTestApp();
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "unused", scopes: ["lookup"] } });
  const other = await app.startAnother();
  const wrong = body.key.slice(0, -1) + (body.key.endsWith("0") ? "1" : "0");
  expect((await other.rest("GET", "/lookup?number=1", { key: wrong })).status).toBe(401);
  await other[Symbol.asyncDispose]();
  const list = await app.rest("GET", "/api-keys", { session });
  expect(list.body.keys[0].last_used_at).toBeNull();
});
