/** The table of ISO 4217 beside what the runtime knows. */
import { expect, test } from "vitest";
import { minorDigits } from "../../src/text/currencies.ts";

const ofRuntime = Intl.supportedValuesOf("currency");

test("every three letters that are a currency in use are known to the runtime too", () => {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const known = letters.flatMap((a) =>
    letters.flatMap((b) => letters.map((c) => a + b + c).filter((code) => minorDigits(code) !== undefined)),
  );
  expect(known).toHaveLength(155);
  // `Intl` has no Venezuelan digital bolívar, which is beside the bolívar.
  expect(known.filter((code) => !ofRuntime.includes(code))).toEqual(["VED"]);
});

test.each([
  ["EUR", 2],
  ["USD", 2],
  ["HUF", 2],
  ["MGA", 2],
  ["JPY", 0],
  ["KRW", 0],
  ["CLP", 0],
  ["XOF", 0],
  ["KWD", 3],
  ["TND", 3],
])("%s has %i digits", (currency, digits) => {
  expect(minorDigits(currency)).toBe(digits);
});

test.each(["", "eur", "EURO", "DEM", "BGN", "XXX", "XTS", "XAU", "CLF", "constructor"])("%j is no currency", (text) => {
  expect(minorDigits(text)).toBeUndefined();
});
