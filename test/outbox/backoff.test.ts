import { expect, test } from "vitest";
import { backoffMs } from "../../src/outbox/backoff.ts";

test("the wait doubles from one second up to ten", () => {
  expect([1, 2, 3, 4, 5, 6, 50].map((attempts) => backoffMs(attempts, () => 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000,
  ]);
});

test("chance takes off up to a half", () => {
  expect(backoffMs(3, () => 0.5)).toBe(3_000);
  expect(backoffMs(3, () => 0.999999)).toBe(2_000);
});
