import fc from "fast-check";
import { expect, test } from "vitest";
import { brandOfAccount, brandProblem } from "../../src/verify/brand.ts";

test.each([
  "Acme",
  "Booking.com",
  "Müller & Söhne",
  "株式会社",
  "A",
  "Yahoo!",
  "7-Eleven",
  "AT&T",
  "🏦 Bank",
  "St. Mary's",
])("%s is a brand", (brand) => {
  expect(brandProblem(brand)).toBeUndefined();
});

test.each([
  ["Acme\n", "must not contain control characters"],
  ["Acme\r\nBcc: eve@example.com", "must not contain control characters"],
  ["Ac\0me", "must not contain control characters"],
  ["Acme\u2028", "must not contain control characters"],
  ["\u202eemcA", "must not contain control characters"],
  ["Ac\u200bme", "must not contain control characters"],
  ["https://evil.example", "must not contain a web address"],
  ["HTTP://EVIL.EXAMPLE", "must not contain a web address"],
  ["visit www.evil.example", "must not contain a web address"],
  ["evil.example/login", "must not contain a web address"],
  ["evil.example:8080", "must not contain a web address"],
  [" ", "must not be blank"],
  ["\u3000", "must not be blank"],
])("%j %s", (brand, problem) => {
  expect(brandProblem(brand)).toBe(problem);
});

test.each([
  ["Acme", "Acme"],
  [" Acme Inc. ", "Acme Inc."],
  ["Booking.com", "Booking.com"],
  ["x".repeat(100), "x".repeat(40)],
  ["🏦".repeat(41), "🏦".repeat(40)],
  ["https://evil.example/win", "https evil.example win"],
  ["www.evil.example", "evil.example"],
  ["Acme\r\nBcc: eve@example.com", "Acme Bcc eve@example.com"],
  ["\u202eAcme", "Acme"],
  ["\u200b", "Byond"],
  ["   ", "Byond"],
  ["://", "Byond"],
])("the messages of an account called %j say %j", (name, brand) => {
  expect(brandOfAccount(name)).toBe(brand);
});

test("whatever an account is called, its messages carry an allowed brand of at most forty characters", () => {
  const fragments = fc.constantFrom(
    "www.",
    "w",
    ".",
    "/",
    ":",
    "//",
    "evil.example",
    "\n",
    "\u202e",
    " ",
    "Acme",
    "\u0000",
  );
  const names = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fragments).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(names, (name) => {
      const brand = brandOfAccount(name);
      expect(brandProblem(brand)).toBeUndefined();
      expect([...brand].length).toBeLessThanOrEqual(40);
    }),
    { numRuns: 5_000, seed: 7 },
  );
});
