/** Codes are derived from the verification's id and a master secret, without bias. */
import { describe, expect, test } from "vitest";
import { deriveCode, normalizeCode } from "../../../src/capabilities/verify/code.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";

const [one, other] = createKeyring([
  "one secret of thirty-two bytes or more",
  "another secret of thirty-two bytes",
]).all;
if (one === undefined || other === undefined) {
  throw new Error("no secrets");
}

const ids = Array.from({ length: 20_000 }, (_, index) => `vrf_${index.toString(36).padStart(22, "0")}`);
const lengths = [4, 5, 6, 7, 8, 9, 10];

const live = (secret: typeof one, verificationId: string, length: number) =>
  deriveCode(secret, { verificationId, mode: "live", length });

/** Pearson's statistic of counts that should all be the same. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function countBy(codes: readonly string[], bins: number, binOf: (code: string) => number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const code of codes) {
    const bin = binOf(code);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

// The ids and secrets are fixed, so the outcome is too. A fair code exceeds these once in a million times.
const limitOf10Bins = 44.8;
const limitOf100Bins = 181;

/** The codes of `ids`, by their length. */
const codesOf = new Map(lengths.map((length) => [length, ids.map((id) => live(one, id, length))]));

describe.each(lengths)("codes of %i digits", (length) => {
  const codes = codesOf.get(length) ?? expect.fail();
  const digits = new RegExp(`^[0-9]{${length}}$`);

  test("have exactly that many digits, including leading zeros", () => {
    expect(codes.filter((code) => !digits.test(code))).toEqual([]);
    expect(codes.some((code) => code.startsWith("0"))).toBe(true);
  });

  test("are uniform in each digit, in the first two digits and in the last two", () => {
    for (let position = 0; position < length; position++) {
      expect(chiSquare(countBy(codes, 10, (code) => Number(code[position])))).toBeLessThan(limitOf10Bins);
    }
    expect(chiSquare(countBy(codes, 100, (code) => Number(code.slice(0, 2))))).toBeLessThan(limitOf100Bins);
    expect(chiSquare(countBy(codes, 100, (code) => Number(code.slice(-2))))).toBeLessThan(limitOf100Bins);
  });

  test("differ under another secret", () => {
    const same = ids.filter((id, index) => live(other, id, length) === codes[index]).length;
    const expected = ids.length / 10 ** length;
    expect(same).toBeLessThanOrEqual(expected + 5 * Math.sqrt(expected) + 1);
  });

  test("are all zeros in the sandbox", () => {
    const code = deriveCode(one, { verificationId: ids[0] ?? "", mode: "test", length });
    expect(code).toBe("0".repeat(length));
  });
});

test("the same id, length and secret always give the same code", () => {
  for (const id of ids.slice(0, 100)) {
    expect(live(one, id, 6)).toBe(live(one, id, 6));
  }
});

describe("a code that approves a payment", () => {
  const payment = { payee: "Ada", amount: { value: "10.50", currency: "EUR" } };
  const others = [
    undefined,
    { ...payment, payee: "Eve" },
    { ...payment, amount: { value: "10.51", currency: "EUR" } },
    { ...payment, amount: { value: "10.50", currency: "USD" } },
    // What separates the parts cannot be moved.
    { payee: 'Ada","10.50', amount: { value: "EUR", currency: "" } },
  ];
  const codeOf = (verificationId: string, approval: (typeof others)[number]) =>
    deriveCode(one, { verificationId, mode: "live", length: 10, approval });

  test("is another one than that of any other payment, and of none", () => {
    for (const id of ids.slice(0, 100)) {
      expect(new Set([payment, ...others].map((approval) => codeOf(id, approval))).size).toBe(6);
    }
  });

  test("is uniform in each digit", () => {
    const codes = ids.slice(0, 5_000).map((id) => codeOf(id, payment));
    for (let position = 0; position < 10; position++) {
      expect(chiSquare(countBy(codes, 10, (code) => Number(code[position])))).toBeLessThan(limitOf10Bins);
    }
  });

  test("and one that approves none stays what it was before there were payments", () => {
    expect(live(one, "vrf_0000000000000000000000", 6)).toBe("491468");
  });
});

test("codes of different lengths for one verification are independent", () => {
  const [long = [], short = []] = [codesOf.get(10), codesOf.get(4)];
  const alike = ids.filter((_, index) => long[index]?.endsWith(short[index] ?? "none"));
  // Two independent codes of four digits agree once in ten thousand times.
  expect(alike.length).toBeLessThanOrEqual(10);
});

test.each([
  ["084213", "084213"],
  ["084 213", "084213"],
  [" 084-213\n", "084213"],
  ["0 8 4\t2 1 3", "084213"],
  ["084\u00a0213", "084213"],
  ["084\u2011213", "084213"],
  ["084\u2013213", "084213"],
  ["084\u00ad213", "084213"],
  ["---", ""],
  ["084.213", "084.213"],
  ["o84213", "o84213"],
  ["０８４２１３", "084213"],
  ["０８４ー２１３", "084213"],
  ["０８４－２１３", "084213"],
  ["٠٨٤٢١٣", "084213"],
  ["۰۸۴۲۱۳", "084213"],
  ["०८४ २१३", "084213"],
  ["\u200f٠٨٤\u061c٢١٣\u200e", "084213"],
  ["\u2066084213\u2069", "084213"],
  ["\ufeff084\u200b213", "084213"],
  ["084\u2212213", "084213"],
  // Numbers that are no decimal digits stay what they are, and match nothing.
  ["⁰⁸⁴²¹³", "⁰⁸⁴²¹³"],
  ["⓪⑧④②①③", "⓪⑧④②①③"],
  ["〇八四二一三", "〇八四二一三"],
])("a submitted code %j is normalized to %j", (submitted, compared) => {
  expect(normalizeCode(submitted)).toBe(compared);
});
