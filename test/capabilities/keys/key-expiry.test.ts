import { expect, test } from "vitest";
import { KeyExpiry } from "../../../src/capabilities/keys/key-expiry.ts";

function clocks() {
  let monotonicMs = 1_000;
  let wallMs = 1_800_000_000_000;
  return {
    clock: { now: () => new Date(wallMs), monotonicMs: () => monotonicMs },
    pass(ms: { readonly monotonic?: number; readonly wall?: number }) {
      monotonicMs += ms.monotonic ?? 0;
      wallMs += ms.wall ?? 0;
    },
  };
}

test("passes when the milliseconds that were left are over, counted from before the question", () => {
  const { clock, pass } = clocks();
  const expiryIn = KeyExpiry.measuredFrom(clock);
  // The answer of the database takes its time.
  pass({ monotonic: 200, wall: 200 });
  const deadline = expiryIn(1_000);
  pass({ monotonic: 799, wall: 799 });
  expect(deadline.hasPassed).toBe(false);
  pass({ monotonic: 1, wall: 1 });
  expect(deadline.hasPassed).toBe(true);
});

test("has passed at once if nothing was left", () => {
  const { clock } = clocks();
  expect(KeyExpiry.measuredFrom(clock)(0).hasPassed).toBe(true);
  expect(KeyExpiry.measuredFrom(clock)(-5_000).hasPassed).toBe(true);
});

test("passes also while the machine is suspended, and when the wall clock is set back", () => {
  const suspended = clocks();
  const one = KeyExpiry.measuredFrom(suspended.clock)(1_000);
  suspended.pass({ wall: 1_000 });
  expect(one.hasPassed).toBe(true);

  const setBack = clocks();
  const other = KeyExpiry.measuredFrom(setBack.clock)(1_000);
  setBack.pass({ monotonic: 1_000, wall: -3_600_000 });
  expect(other.hasPassed).toBe(true);
});
