/** GCRA in SQL: exact under contention, one token at a time, at the database's clock. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../../src/database/database.ts";
import {
  boundLimit,
  constantLimit,
  consumeToken,
  hasToken,
  secondsUntilToken,
  throttleSweep,
} from "../../src/database/throttle.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";
import { sweepAll } from "../support/sweep-all.ts";
import { TestTime } from "../support/time.ts";

let testDatabase: Awaited<ReturnType<typeof createMigratedDatabase>>;
let database: Database;
let time: TestTime;

beforeAll(async () => {
  testDatabase = await createMigratedDatabase();
  database = await Database.open({
    connection: await connectionTo(testDatabase.url),
    logger: captureLog().logger,
    ...standardSchema,
  });
  time = new TestTime(testDatabase.url);
});
afterAll(async () => {
  await database.close();
  await time.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await querySql(database, { name: "clear", text: "DELETE FROM throttle" }, []);
});

const limit = constantLimit({ burst: 3, periodSeconds: 60 });
const take = { name: "take", text: consumeToken({ workspaceId: "$1", key: "$2", limit }) };
const takes = async (count: number, key = "a", workspaceId = "ws_1") => {
  const taken = await Promise.all(Array.from({ length: count }, () => querySql(database, take, [workspaceId, key])));
  return taken.filter((rows) => rows.length === 1).length;
};

test("a hundred at once get the burst, and not one more", async () => {
  expect(await takes(100)).toBe(3);
  expect(await takes(100)).toBe(0);
});

test("tokens come back one a period, and never more than the burst", async () => {
  expect(await takes(10)).toBe(3);
  await time.advance({ seconds: 59 });
  expect(await takes(10)).toBe(0);
  await time.advance({ seconds: 1 });
  expect(await takes(10)).toBe(1);
  await time.advance({ seconds: 150 });
  expect(await takes(10)).toBe(2);
  await time.advance({ seconds: 30 });
  expect(await takes(10)).toBe(1);
  await time.advance({ seconds: 100_000 });
  expect(await takes(10)).toBe(3);
});

test("a refusal changes nothing: asking again does not extend the wait", async () => {
  expect(await takes(3)).toBe(3);
  for (let second = 0; second < 60; second += 10) {
    expect(await takes(20)).toBe(0);
    await time.advance({ seconds: 10 });
  }
  expect(await takes(20)).toBe(1);
});

test("each key of each workspace has tokens of its own", async () => {
  const taken = await Promise.all([takes(9, "a"), takes(9, "b"), takes(9, "a", "ws_2"), takes(9, "A")]);
  expect(taken).toEqual([3, 3, 3, 3]);
});

test("a limit that comes with the values is the same as one in the text", async () => {
  const bound = consumeToken({ workspaceId: "$1", key: "$2", limit: boundLimit("$3", "$4") });
  const statement = { name: "take_bound", text: bound };
  const taken = await Promise.all(
    Array.from({ length: 20 }, () => querySql(database, statement, ["ws_1", "a", 5, 0.5])),
  );
  expect(taken.filter((rows) => rows.length === 1)).toHaveLength(5);
  await time.advance({ seconds: 1 });
  const later = await Promise.all(
    Array.from({ length: 20 }, () => querySql(database, statement, ["ws_1", "a", 5, 0.5])),
  );
  // Half a second a token; the takes themselves need some milliseconds.
  expect(later.filter((rows) => rows.length === 1).length).toBeGreaterThanOrEqual(2);
  expect(later.filter((rows) => rows.length === 1).length).toBeLessThanOrEqual(3);
});

describe("the seconds to wait", () => {
  const look = {
    name: "look",
    text: `SELECT ${hasToken("tat", limit)} AS has_token, ${secondsUntilToken("tat", limit)} AS seconds FROM throttle`,
  };
  const state = async () => (await querySql<{ has_token: boolean; seconds: number }>(database, look, []))[0];

  test("are whole, at least one, and enough", async () => {
    await takes(3);
    expect(await state()).toEqual({ has_token: false, seconds: 60 });
    await time.advance({ seconds: 59 });
    expect(await state()).toEqual({ has_token: false, seconds: 1 });
    await time.advance({ seconds: 1 });
    expect((await state())?.has_token).toBe(true);
  });
});

test("sweeping deletes the buckets that are full again, and no other: no key gains a token", async () => {
  await takes(1, "one");
  await takes(3, "three");
  await time.advance({ seconds: 61 });
  await sweepAll(throttleSweep({ database }));
  const rows = await querySql<{ key: string }>(database, { name: "keys", text: "SELECT key FROM throttle" }, []);
  expect(rows).toEqual([{ key: "three" }]);
  expect(await takes(10, "one")).toBe(3);
  expect(await takes(10, "three")).toBe(1);
});
