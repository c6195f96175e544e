import { createContextValues } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { readIdempotencyKey } from "../../src/idempotency/idempotency-key.ts";

function read(value: string): string | undefined {
  return readIdempotencyKey(new Headers({ "Idempotency-Key": value }), createContextValues());
}

test("without the header there is no key", () => {
  expect(readIdempotencyKey(new Headers(), createContextValues())).toBeUndefined();
});

describe("a key", () => {
  test.each([
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["x", "x"],
    ["order 17, second try", "order 17, second try"],
    ['"order 17"', "order 17"],
    ['" "', " "],
    ['a"b', 'a"b'],
    ["a\\b", "a\\b"],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ["k".repeat(255), "k".repeat(255)],
    [`"${"k".repeat(255)}"`, "k".repeat(255)],
    [`"${String.raw`\"`.repeat(255)}"`, '"'.repeat(255)],
  ])("%j is %j", (value, key) => {
    expect(read(value)).toBe(key);
  });

  test.each([
    "",
    " ",
    '""',
    '"open',
    '"a"b"',
    '"a";b=1',
    '"a", "b"',
    String.raw`"a\b"`,
    '"a\\',
    "tab\there",
    "ÿ",
    "k".repeat(256),
    `"${"k".repeat(256)}"`,
  ])("%j is refused", (value) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});
