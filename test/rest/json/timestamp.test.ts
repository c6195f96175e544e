import { expect, test } from "vitest";
import { formatTimestamp, readTimestamp } from "../../../src/rest/json/timestamp.ts";

const second = (text: string) => Date.parse(text) / 1000;

test.each([
  ["every day of 400 years", "1800-01-01T00:00:00Z", "2199-12-31T00:00:00Z", 1],
  ["every 89th day there is", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 89],
])("%s is written as Date writes it, and read back", (_, first, last, step) => {
  const wrong: string[] = [];
  for (let day = second(first) / 86_400; day <= second(last) / 86_400; day += step) {
    // A time that differs from day to day.
    const seconds = day * 86_400 + (((day % 86_400) * 7919 + 86_400 * 7919) % 86_400);
    const expected = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
    const written = formatTimestamp(BigInt(seconds), 0, true);
    if (written !== expected || Object(readTimestamp(written)).seconds !== BigInt(seconds)) {
      wrong.push(`${written} for ${expected}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("UTC offsets of up to a day are applied across the end of a year", () => {
  expect(readTimestamp("2026-01-01T00:30:00+01:00")).toEqual(readTimestamp("2025-12-31T23:30:00Z"));
  expect(readTimestamp("2025-12-31T23:30:00-01:00")).toEqual(readTimestamp("2026-01-01T00:30:00Z"));
  expect(readTimestamp("2024-03-01T00:00:00+23:59")).toEqual(readTimestamp("2024-02-29T00:01:00Z"));
});
