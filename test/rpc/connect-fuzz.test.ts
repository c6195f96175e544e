/**
 * Unary calls go a short way of our own (decision 33). Requests of all kinds get the same answer from it as from Connect's own handlers, but
 * where it is meant to be another: `differential/deliberate-differences.ts` names those.
 */
import { expect, test } from "vitest";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { compareAnswers } from "./differential/compare-answers.ts";

const requests = fuzzRuns({ short: 1_500, long: 100_000 });

test(`${requests} random calls are answered as Connect's own handlers answer them`, { timeout: 900_000 }, async () => {
  const { unexplained, same, succeeded, deliberate, faults } = await compareAnswers(requests, 20_260_615);
  expect(unexplained).toEqual([]);
  const different = [...deliberate.values()].reduce((sum, seen) => sum + seen, 0);
  expect(same + different).toBe(requests);
  // The requests get everywhere, and every difference is still there: a rule that nothing needs would hide another one.
  expect(succeeded).toBeGreaterThan(requests / 6);
  expect([...deliberate].filter(([, seen]) => seen === 0)).toEqual([]);
  expect([...faults].filter(([, seen]) => seen < requests / 3_000)).toEqual([]);
});
