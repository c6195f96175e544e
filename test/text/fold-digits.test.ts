/** Digits of all scripts, by the numbering systems that ICU knows. */
import { expect, test } from "vitest";
import { foldDigits } from "../../src/text/fold-digits.ts";

const systems = Intl.supportedValuesOf("numberingSystem").map((system) => {
  const format = new Intl.NumberFormat(`en-u-nu-${system}`, { useGrouping: false });
  return [system, Array.from({ length: 10 }, (_, digit) => format.format(digit)).join("")] as const;
});
/** Without the systems that are no decimal digits (`hanidec`, `roman`). */
const decimal = systems.filter(([, digits]) => /^\p{Nd}{10}$/u.test(digits));

test("the test data has numbering systems", () => {
  expect(decimal.length).toBeGreaterThan(60);
});

test.each(decimal)("the digits of %s become ASCII digits", (_, digits) => {
  expect(foldDigits(digits)).toBe("0123456789");
});

test("every decimal digit of Unicode becomes one of ten", () => {
  const digits = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
    .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
    .map((codePoint) => String.fromCodePoint(codePoint))
    .filter((character) => /\p{Nd}/u.test(character));
  expect(foldDigits(digits.join(""))).toBe("0123456789".repeat(digits.length / 10));
});

test("other characters are kept", () => {
  const text = "+65 (abc) ½ ² Ⅷ 〇 ü e\u0301 👩\ufe0f";
  expect(foldDigits(text)).toBe(text);
});
