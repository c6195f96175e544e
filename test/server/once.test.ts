import { expect, test } from "vitest";
import { once } from "../../src/server/once.ts";

test("what is made is made once, also for callers that come while it is being made", async () => {
  let calls = 0;
  const get = once(async () => {
    calls += 1;
    return {};
  });
  const [one, other] = await Promise.all([get(), get()]);
  expect(one).toBe(other);
  expect(await get()).toBe(one);
  expect(calls).toBe(1);
});

test("a failure reaches all who wait for it, and the next call tries again", async () => {
  let calls = 0;
  const get = once(async () => {
    calls += 1;
    if (calls === 1) {
      throw new Error("EMFILE");
    }
    return calls;
  });
  const results = await Promise.allSettled([get(), get()]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await get()).toBe(2);
  expect(await get()).toBe(2);
});

test("an exception is not kept either", () => {
  let calls = 0;
  const get = once(() => {
    calls += 1;
    if (calls === 1) {
      throw new Error("EMFILE");
    }
    return calls;
  });
  expect(get).toThrow("EMFILE");
  expect(get()).toBe(2);
});
