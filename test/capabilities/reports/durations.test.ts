import { expect, test } from "vitest";
import { summarizeDurations } from "../../../src/capabilities/reports/durations.ts";
import { durationBoundsMs } from "../../../src/capabilities/reports/reports.policy.ts";

/** Counts of ranges, by the millisecond at which a range ends; the last one has no end. */
const counts = (byEnd: Readonly<Record<number, number>>) =>
  [...durationBoundsMs, Number.POSITIVE_INFINITY].map((end) => byEnd[end] ?? 0);

test.each([
  ["nothing", [], undefined, undefined],
  ["one below a tenth of a second", [counts({ 100: 1 })], 50, 95],
  ["a hundred in one range, spread evenly", [counts({ 2000: 100 })], 1_500, 1_950],
  ["half fast, half slow", [counts({ 100: 50, 5000: 50 })], 100, 4_700],
  ["lists are added up", [counts({ 100: 50 }), counts({ 5000: 50 })], 100, 4_700],
  ["what has no end is taken for its beginning", [counts({ [Number.POSITIVE_INFINITY]: 3 })], 600_000, 600_000],
  ["a list from before there were as many ranges", [[0, 0, 0, 4]], 750, 975],
] as const)("%s", (_, lists, p50Ms, p95Ms) => {
  expect(summarizeDurations(lists)).toMatchObject({ p50Ms, p95Ms });
});

test("ranges are told up to the last one that is not empty", () => {
  expect(summarizeDurations([counts({ 100: 2, 500: 1 })]).ranges).toEqual([
    { belowMs: 100, count: 2 },
    { belowMs: 250, count: 0 },
    { belowMs: 500, count: 1 },
  ]);
  expect(summarizeDurations([counts({ [Number.POSITIVE_INFINITY]: 1 })]).ranges.at(-1)).toEqual({
    belowMs: undefined,
    count: 1,
  });
});
