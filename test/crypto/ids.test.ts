import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { createId, encodeBase62, randomBase62 } from "../../src/crypto/ids.ts";

test("an id is its prefix, an underscore and 22 letters and digits, and unique", () => {
  const ids = Array.from({ length: 10_000 }, () => createId("vrf"));
  expect(ids.filter((id) => !/^vrf_[0-9A-Za-z]{22}$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

test("ids are in the order in which they were made, to the millisecond, as PostgreSQL compares them", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const times = [0, 1, 61, 62, 1_764_150_000_000, 1_764_150_000_001, 1_764_150_000_062, 4_102_444_800_000];
  const ids = times.map((time) => {
    vi.setSystemTime(time);
    return createId("vrf");
  });
  expect([...ids].sort()).toEqual(ids);
  expect(ids.map((id) => id.slice(4, 12))).toEqual(expect.arrayContaining(["00000000", "0000000z", "00000010"]));
});

test.each([0, 1, 12, 22, 42, 1_000])("random base62 has exactly %i digits", (length) => {
  expect(randomBase62(length)).toMatch(new RegExp(`^[0-9A-Za-z]{${length}}$`));
});

test("each of the 62 digits is as likely as any other", () => {
  const counts = new Map<string, number>();
  for (const digit of randomBase62(310_000)) {
    counts.set(digit, (counts.get(digit) ?? 0) + 1);
  }
  expect(counts.size).toBe(62);
  const expected = 310_000 / 62;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 61 degrees of freedom: fair digits exceed this once in ten million runs. Bytes modulo 62 without care give thousands.
  expect(chiSquare).toBeLessThan(136);
});

test.each([
  [[], 0, ""],
  [[], 3, "000"],
  [[0], 1, "0"],
  [[0], 2, "00"],
  [[61], 1, "z"],
  [[62], 2, "10"],
  [[10], 1, "A"],
  [[36], 1, "a"],
  [[255], 2, "47"],
  [[1, 0], 2, "48"],
  [[0, 0, 0, 1], 6, "000001"],
])("the bytes %j in %i digits are %j", (bytes, length, text) => {
  expect(encodeBase62(Uint8Array.from(bytes), length)).toBe(text);
});

test("a number that does not fit throws instead of being truncated", () => {
  expect(() => encodeBase62(Uint8Array.of(62), 1)).toThrow(RangeError);
  expect(encodeBase62(new Uint8Array(24).fill(255), 33)).toHaveLength(33);
  expect(() => encodeBase62(new Uint8Array(25).fill(255), 33)).toThrow("25 bytes do not fit 33 base62 digits");
});

test("different bytes of one length never have the same digits", () => {
  const bytes = fc.uint8Array({ minLength: 24, maxLength: 24 });
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      const isSame = Buffer.from(one).equals(Buffer.from(other));
      expect(encodeBase62(one, 33) === encodeBase62(other, 33)).toBe(isSame);
    }),
    { numRuns: 1_000, seed: 1 },
  );
});
