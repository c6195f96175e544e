/** Messages that were sent are recorded in batches: none is lost, none waits for a row that somebody holds. */
import { describe, expect, test } from "vitest";
import type { Database, Queryable } from "../../src/database/database.ts";
import { AppError } from "../../src/errors.ts";
import { AttemptRecorder } from "../../src/outbox/attempt-recorder.ts";
import type { OutboxItem } from "../../src/outbox/outbox.ts";
import type { SendResult } from "../../src/outbox/send-result.ts";
import { querySql } from "../support/sql.ts";
import { useOutbox } from "./outbox-fixture.ts";
import { greylisted, sent } from "./scripted-sender.ts";

const use = useOutbox();

/** Counts the statements that are run, by name, and lets a test hold or fail the first one. */
class CountingDatabase implements Queryable {
  readonly names: string[] = [];
  readonly #database: Database;
  beforeFirst: () => Promise<void> = async () => undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  run: Queryable["run"] = async (statement, values, lookUp) => {
    this.names.push(statement.name);
    if (this.names.length === 1) {
      await this.beforeFirst();
    }
    return this.#database.run(statement, values, lookUp);
  };
}

const attemptAt = (item: OutboxItem, result: SendResult = sent, claim = item.claim) => ({
  item,
  claim,
  result,
  retryAfterMs: 1_000,
  tookMs: 5,
});
const write = (count: number) => Promise.all(Array.from({ length: count }, () => use.outbox.write("a")));

describe("while one message is being recorded", () => {
  test("and two more, the others gather and are recorded by one statement", async () => {
    const items = await write(30);
    const database = new CountingDatabase(use.outbox.database);
    const recorder = new AttemptRecorder(database);
    const statuses = await Promise.all(items.map((item) => recorder.record(attemptAt(item))));
    expect(statuses).toEqual(Array(30).fill("sent"));
    expect(database.names).toEqual(Array(4).fill("outbox_record_sent"));
    for (const item of items) {
      expect(await use.outbox.state(item)).toMatchObject({ status: "sent", attempts: 1, payload_sealed: null });
      expect(await use.outbox.attempts(item)).toMatchObject([
        { claim: 1, lane: "mail", state: "sent", provider_message_id: "pm_1", error: null },
      ]);
    }
  });

  test("an attempt that failed does not wait for them", async () => {
    const [first, second] = await write(2);
    const database = new CountingDatabase(use.outbox.database);
    const held = Promise.withResolvers<void>();
    database.beforeFirst = () => held.promise;
    const recorder = new AttemptRecorder(database);
    const recording = recorder.record(attemptAt(first as OutboxItem));
    expect(await recorder.record(attemptAt(second as OutboxItem, greylisted))).toBe("pending");
    held.resolve();
    expect(await recording).toBe("sent");
  });

  test("and the database fails, all that wait are told, and can be recorded again", async () => {
    const items = await write(4);
    const broken: Queryable = {
      run: async () => {
        throw new AppError("unavailable", "away");
      },
    };
    const recorder = new AttemptRecorder(broken);
    const outcomes = await Promise.allSettled(items.map((item) => recorder.record(attemptAt(item))));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill("rejected"));
    const again = new AttemptRecorder(use.outbox.database);
    expect(await Promise.all(items.map((item) => again.record(attemptAt(item))))).toEqual(Array(4).fill("sent"));
  });
});

test("in a batch, a message that another server claimed, and one that ended, count as they do one by one", async () => {
  const [first, taken, ended, last] = (await write(4)) as [OutboxItem, OutboxItem, OutboxItem, OutboxItem];
  const recorder = new AttemptRecorder(use.outbox.database);
  await recorder.record(attemptAt(ended, { kind: "failed", reason: "refused", provider: "works" }));
  const statuses = await Promise.all([
    recorder.record(attemptAt(first)),
    recorder.record(attemptAt(taken, sent, 7)),
    recorder.record(attemptAt(ended, sent, 2)),
    recorder.record(attemptAt(last)),
  ]);
  expect(statuses).toEqual(["sent", "sent", undefined, "sent"]);
  expect(await use.outbox.state(ended)).toMatchObject({ status: "failed" });
  expect(await use.outbox.attempts(ended)).toMatchObject([{ state: "failed" }, { claim: 2, state: "sent" }]);
});

test("a value that the database refuses fails its own attempt only", async () => {
  const items = await write(4);
  const recorder = new AttemptRecorder(use.outbox.database);
  const outcomes = await Promise.allSettled(
    items.map((item, index) => {
      const result = index === 3 ? { ...sent, providerMessageId: "a\u0000b" } : sent;
      return recorder.record(attemptAt(item, result));
    }),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
});

test("an attempt at a message that was erased meanwhile leaves nothing behind", async () => {
  const [item] = (await write(1)) as [OutboxItem];
  await querySql(use.outbox.database, { name: "test_erase", text: "DELETE FROM outbox WHERE id = $1" }, [item.id]);
  expect(await new AttemptRecorder(use.outbox.database).record(attemptAt(item))).toBeUndefined();
  expect(await use.outbox.attempts(item)).toEqual([]);
});

test("a connection that has gone silent does not keep other messages from being recorded", async () => {
  const items = await write(20);
  const database = new CountingDatabase(use.outbox.database);
  const silence = Promise.withResolvers<void>();
  database.beforeFirst = () => silence.promise;
  const recorder = new AttemptRecorder(database);
  const [first, ...others] = items.map((item) => recorder.record(attemptAt(item)));
  expect(await Promise.all(others)).toEqual(Array(19).fill("sent"));
  silence.resolve();
  expect(await first).toBe("sent");
});

test("a row that somebody holds keeps only its own message waiting", async () => {
  const items = (await write(5)) as [OutboxItem, OutboxItem, OutboxItem, OutboxItem, OutboxItem];
  const isLocked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = use.outbox.database.transaction(async (transaction) => {
    const lock = { name: "test_lock", text: "SELECT FROM outbox WHERE id = $1 FOR UPDATE" };
    await querySql(transaction, lock, [items[2].id]);
    isLocked.resolve();
    await release.promise;
  });
  await isLocked.promise;
  const recorder = new AttemptRecorder(use.outbox.database);
  const [first, second, third, fourth] = items.slice(0, 4).map((item) => recorder.record(attemptAt(item)));
  expect(await Promise.all([first, second, fourth])).toEqual(["sent", "sent", "sent"]);
  expect(await recorder.record(attemptAt(items[4]))).toBe("sent");
  release.resolve();
  await holding;
  expect(await third).toBe("sent");
});

test.each([
  ["a batch of messages that were sent", sent],
  ["an attempt that failed", greylisted],
  ["a message that was sent and that somebody holds", sent, 1],
])("recording %s, planned while the table was empty, reads few pages once it is full", async (_, result, nth = 0) => {
  const [item] = (await write(1)) as [OutboxItem];
  const statements: { readonly text: string; readonly values: readonly unknown[] }[] = [];
  const capturing: Queryable = {
    run: async (statement, values) => {
      statements.push(statement.bind(values));
      return [];
    },
  };
  await new AttemptRecorder(capturing).record(attemptAt(item, result));
  const recording = statements[nth] as (typeof statements)[number];
  const literals = recording.values.map(literalOf).join(", ");
  await use.outbox.database.transaction(async (transaction) => {
    const run = (text: string) => querySql<{ "QUERY PLAN": unknown }>(transaction, { name: "", text });
    await run("DELETE FROM outbox");
    await run("SET LOCAL plan_cache_mode = force_generic_plan");
    await run(`PREPARE planned_early AS ${recording.text}`);
    await run(`EXPLAIN (ANALYZE) EXECUTE planned_early(${literals})`);
    await run(
      `INSERT INTO outbox (workspace_id, id, kind, lane, subject_id, payload_sealed, available_at, created_at, expires_at)
       SELECT '${item.workspaceId}', 'dlv_' || number, 'kind', 'mail', 'vrf_' || number, '', now(), now(), now()
       FROM generate_series(1, 20000) AS number`,
    );
    const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE planned_early(${literals})`;
    const plan = JSON.stringify(await run(explain));
    await run("DEALLOCATE planned_early");
    const [, pages] = /"Shared Hit Blocks":(\d+)/.exec(plan) ?? [];
    expect(Number(pages)).toBeLessThan(100);
  });
});

const literalOf = (value: unknown): string =>
  Array.isArray(value) ? `'{${value.join(",")}}'` : value === null ? "NULL" : `'${value}'`;
