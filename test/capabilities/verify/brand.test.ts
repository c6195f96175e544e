import fc from "fast-check";
import { expect, test } from "vitest";
import { brandOf, brandOfAccount } from "../../../src/capabilities/verify/brand.ts";
import { senderNameProblem } from "../../../src/text/display-name-rules.ts";

test.each([
  ["Acme", "Acme"],
  ["  Acme  ", "Acme"],
  ["Acme \u00a0\u3000 Inc.", "Acme Inc."],
  ["\u2003Acme\u2009", "Acme"],
  ["\u3164Acme\u3164", "Acme"],
  ["\u2800 Acme\uffa0", "Acme"],
  ["\u1160\u115fAcme\u17b4", "Acme"],
  // Not blank: how the letter before it is shown.
  ["Acme \u2764\ufe0f", "Acme \u2764\ufe0f"],
])("a brand given as %j is shown as %j", (given, brand) => {
  expect(brandOf(given)).toBe(brand);
});

test.each([
  ["Acme", "Acme"],
  [" Acme Inc. ", "Acme Inc."],
  ["Booking.com", "Booking.com"],
  ["x".repeat(100), "x".repeat(40)],
  ["🏦".repeat(41), "🏦".repeat(40)],
  ["https://evil.example/win", "https evil example win"],
  ["www.evil.example", "www evil example"],
  ["=?utf-8?q?evil=2Ecom?=", "utf 8 q evil 2Ecom"],
  [`${"x".repeat(32)} evil.com/`, `${"x".repeat(32)} evil.co`],
  ["Acme\r\nBcc: eve@example.com", "Acme Bcc eve example com"],
  ["\u202eAcme", "Acme"],
  ["\u3164Ac\u3164me", "Ac me"],
  ["Acme\u034f Inc.", "Acme Inc"],
  ["\u3164\ufe0f", "Byond"],
  ["\u200b", "Byond"],
  ["   ", "Byond"],
  ["://evil", "evil"],
  ["=?", "Byond"],
])("without a brand, an account named %j is shown as %j", (name, brand) => {
  expect(brandOfAccount(name)).toBe(brand);
});

test("every account name becomes an allowed brand of at most forty characters", () => {
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
    "=?",
    "&sol;",
    "%2e",
    "👩\u200d",
    "⒈½",
    "\u3164",
    "\ufe0f",
    "\u034f",
  );
  const names = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fragments).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(names, (name) => {
      const brand = brandOfAccount(name);
      expect(senderNameProblem(brand)).toBeUndefined();
      expect([...brand].length).toBeLessThanOrEqual(40);
    }),
    { numRuns: 5_000, seed: 7 },
  );
});
