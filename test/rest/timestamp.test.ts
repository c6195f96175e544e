import { expect, test } from "vitest";
import { formatTimestamp, readTimestamp } from "../../src/rest/timestamp.ts";

const first = Date.parse("0001-01-01T00:00:00Z") / 1000;
const last = Date.parse("9999-12-31T23:59:59Z") / 1000;

test("every day from the year 1 to 9999 is written as Date writes it, and read back", () => {
  const wrong: string[] = [];
  for (let day = first; day <= last; day += 86_400) {
    // A second of the day that differs from day to day.
    const seconds = day + ((day / 86_400) * 7919 - Math.floor(((day / 86_400) * 7919) / 86_400) * 86_400);
    const expected = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
    const written = formatTimestamp(BigInt(seconds), 0, true);
    if (written !== expected || Object(readTimestamp(written)).seconds !== BigInt(seconds)) {
      wrong.push(`${written} for ${expected}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("offsets of a day and less are taken into account across the year", () => {
  expect(readTimestamp("2026-01-01T00:30:00+01:00")).toEqual(readTimestamp("2025-12-31T23:30:00Z"));
  expect(readTimestamp("2025-12-31T23:30:00-01:00")).toEqual(readTimestamp("2026-01-01T00:30:00Z"));
  expect(readTimestamp("2024-03-01T00:00:00+23:59")).toEqual(readTimestamp("2024-02-29T00:01:00Z"));
});
