/** Statements with named, typed parameters: what they render, what they refuse, and how rows come back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../src/database/database.ts";
import {
  array,
  bigint,
  boolean,
  bytea,
  double,
  integer,
  jsonb,
  nullable,
  optional,
  statement,
  statementOfParts,
  text,
  timestamptz,
} from "../../src/database/statement.ts";
import { openTestDatabase, type TestConnection } from "../outbox/test-database.ts";

describe("a definition", () => {
  test("numbers parameters in the order of their use, and repeats the placeholder of a parameter that is used twice", () => {
    const found = statement("found")(
      { id: text, workspaceId: text, indexes: nullable(array(text)) },
      (p) =>
        `SELECT WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND (${p.indexes} IS NULL OR x = ANY (${p.indexes}))`,
    );
    expect(found.text).toBe(
      "SELECT WHERE workspace_id = $1::text AND id = $2::text AND ($3::text[] IS NULL OR x = ANY ($3::text[]))",
    );
    expect(found.bind({ id: "vrf_1", workspaceId: "ws_1", indexes: null }).values).toEqual(["ws_1", "vrf_1", null]);
  });

  test("passes placeholders to SQL fragments", () => {
    const isLater = (column: string, than: string) => `${column} > ${than}`;
    const late = statement("late")(
      { at: timestamptz },
      (p) => `SELECT ${isLater("a", p.at)} AND ${isLater("b", p.at)}`,
    );
    expect(late.text).toBe("SELECT a > $1::timestamptz AND b > $1::timestamptz");
  });

  test("refuses a parameter that is not defined", () => {
    // @ts-expect-error There is no such parameter.
    expect(() => statement("unknown")({ id: text }, (p) => `SELECT ${p.id}, ${p.other}`)).toThrow(
      "the statement unknown has no parameter other",
    );
    // No parameter either, though every object has it.
    expect(() => statement("inherited")({ id: text }, (p) => `SELECT ${p.id}, ${p.constructor}`)).toThrow(
      "the statement inherited has no parameter constructor",
    );
  });

  test("refuses a parameter that its text does not use, even if the function read its placeholder", () => {
    expect(() => statement("unused")({ id: text, mode: text }, (p) => `SELECT ${p.id}`)).toThrow(
      "the statement unused does not use its parameter mode",
    );
    expect(() => statement("unused")({ id: text, mode: text }, (p) => `SELECT ${[p.mode, p.id][1]}`)).toThrow(
      "the statement unused does not use its parameter mode",
    );
    expect(() => statement("unused")({ id: optional(text), mode: text }, (p) => `SELECT ${[p.id, p.mode][1]}`)).toThrow(
      "the statement unused does not use its parameter id",
    );
  });

  test("refuses a placeholder that is written by hand", () => {
    expect(() => statement("by_hand")({ id: text }, (p) => `SELECT ${p.id}, $2::text`)).toThrow(
      "the statement by_hand has a placeholder without a name",
    );
    expect(() => statement("by_hand")({}, () => "SELECT $1")).toThrow("has a placeholder without a name");
  });

  test("refuses a name that PostgreSQL would truncate", () => {
    expect(statement("a".repeat(63))({}, () => "SELECT").name).toHaveLength(63);
    expect(() => statement("a".repeat(64))({}, () => "SELECT")).toThrow("more than 63 bytes");
  });
});

describe("values", () => {
  const cancel = statement<{ id: string }>("cancel")(
    { id: text, attempts: integer, keyPrefix: nullable(text), note: optional(text) },
    (p) => `SELECT ${p.id} AS id, ${p.attempts}, ${p.keyPrefix}`,
  );

  test("that are missing, unknown or of the wrong type do not compile; a missing one also throws", () => {
    const id = "vrf_1";
    expect(cancel.bind({ id, attempts: 1, keyPrefix: null }).values).toEqual([id, 1, null]);
    // @ts-expect-error `attempts` is a number.
    cancel.bind({ id, attempts: "1", keyPrefix: null });
    // @ts-expect-error There is no parameter of this name.
    cancel.bind({ id, attempts: 1, keyPrefix: null, mode: "live" });
    // @ts-expect-error `keyPrefix` is missing.
    expect(() => cancel.bind({ id, attempts: 1 })).toThrow("the statement cancel was given no keyPrefix");
    // @ts-expect-error `id` cannot be null.
    cancel.bind({ id: null, attempts: 1, keyPrefix: null });
  });
});

describe("a statement of parts", () => {
  const list = statementOfParts<{ id: string }, "status" | "after">("list")(
    { workspaceId: text, status: optional(text), after: optional(timestamptz) },
    (p, parts) =>
      [
        `SELECT WHERE workspace_id = ${p.workspaceId}`,
        ...parts.map((part) => (part === "status" ? `status = ${p.status}` : `created_at > ${p.after}`)),
      ].join(" AND "),
  );

  test("is one statement for each list of parts, and binds only the values of those parts", () => {
    expect(list(["after", "status"])).toMatchObject({
      name: "list_after_status",
      text: "SELECT WHERE workspace_id = $1::text AND created_at > $2::timestamptz AND status = $3::text",
    });
    expect(list(["status"])).toBe(list(["status"]));
    expect(list(["status"]).bind({ workspaceId: "ws_1", status: "pending", after: new Date() }).values).toEqual([
      "ws_1",
      "pending",
    ]);
    expect(list([]).bind({ workspaceId: "ws_1" }).values).toEqual(["ws_1"]);
  });

  test("refuses a missing value of a part that it has", () => {
    expect(() => list(["status"]).bind({ workspaceId: "ws_1" })).toThrow(
      "the statement list_status was given no status",
    );
  });
});

describe("on PostgreSQL", () => {
  let connection: TestConnection;
  let database: Database;
  beforeAll(async () => {
    connection = await openTestDatabase();
    database = connection.database;
  });
  afterAll(() => connection.close());

  test("a value of every type comes back unchanged, alone and in an array, and null as null", async () => {
    const types = { text, integer, bigint, double, boolean, timestamptz, bytea, jsonb };
    const at = new Date("2026-06-15T09:40:00.123Z");
    const values = {
      text: `a "b" \\ {c}, 'd' $1 ü`,
      integer: -7,
      bigint: Number.MAX_SAFE_INTEGER,
      double: 0.1,
      boolean: false,
      timestamptz: at,
      bytea: Buffer.from([0, 255, 92]),
      jsonb: '{"a_b": 1}',
    };
    const expected = { ...values, bigint: String(values.bigint), jsonb: { a_b: 1 } };
    const names = Object.keys(types) as (keyof typeof types)[];
    const alone = statement<object>("alone")(
      types,
      (p) => `SELECT ${names.map((name) => `${p[name]} AS "${name}"`).join(", ")}`,
    );
    expect(await database.run(alone, values)).toEqual([expected]);

    const inArrays = statement<{ first: unknown; second: unknown }>("in_arrays")(
      {
        texts: array(text),
        times: array(timestamptz),
        bytes: array(bytea),
        numbers: array(bigint),
        none: nullable(array(text)),
      },
      (p) => `
        SELECT (${p.texts})[1] AS text, (${p.times})[1] AS time, (${p.bytes})[1] AS bytes, (${p.numbers})[2] AS number,
          ${p.none} IS NULL AS is_none`,
    );
    expect(
      await database.run(inArrays, {
        texts: [values.text],
        times: [at],
        bytes: [values.bytea],
        numbers: [1, values.bigint],
        none: null,
      }),
    ).toEqual([{ text: values.text, time: at, bytes: values.bytea, number: expected.bigint, isNone: true }]);
  });

  test("columns come back in camelCase, outside and inside of a transaction; keys of JSON stay", async () => {
    const row = statement<object>("camel_case")(
      {},
      () => `SELECT 1 AS one, 2 AS two_words, 3 AS and_3_words, 4 AS "asItIs", '{"a_key": 1}'::jsonb AS some_json`,
    );
    const expected = [{ one: 1, twoWords: 2, and3Words: 3, asItIs: 4, someJson: { a_key: 1 } }];
    expect(await database.run(row, {})).toEqual(expected);
    expect(await database.transaction((transaction) => transaction.run(row, {}))).toEqual(expected);
  });
});
