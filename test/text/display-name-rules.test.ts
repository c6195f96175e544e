/** What may be called what: the one rule, by lists of names that there are and of names that are something else. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineProblem, nameProblem, senderNameProblem } from "../../src/text/display-name-rules.ts";
import { hasWebAddress } from "../../src/text/web-address.ts";
import { addressAttacks } from "./disguised-addresses.ts";
import { realBrands } from "./real-brand-names.ts";

test("the test data is long and has no duplicates", () => {
  for (const list of [realBrands, addressAttacks]) {
    expect(list.length).toBeGreaterThanOrEqual(200);
    expect(new Set(list).size).toBe(list.length);
  }
});

test.each(realBrands)("%s is allowed as a sender's name", (brand) => {
  expect(senderNameProblem(brand)).toBeUndefined();
});

test.each(addressAttacks)("%j is refused: it is or becomes an address", (attack) => {
  expect(senderNameProblem(attack)).toBe("must not contain a web address");
});

test.each(addressAttacks)("%j is refused inside a longer name too", (attack) => {
  expect(hasWebAddress(`Acme ${attack} GmbH`)).toBe(true);
});

describe("invisible characters", () => {
  test.each([
    "Acme\n",
    "Acme\r\nBcc: eve@example.com",
    "Ac\0me",
    "\u009bAcme",
    "Acme\u2028",
    "\u202eemcA",
    "\u2066Acme\u2069",
    "Ac\u200bme",
    "Ac\u200dme",
    "Ac\u200cme",
    "Acme\u00ad",
    "\ufeffAcme",
    "Acme\u{e0041}",
    "Acme\ue000",
    "Ac\ud800me",
    "evil.com\u200b/login",
    "👩\u200d",
  ])("are refused: %j", (name) => {
    for (const problem of [lineProblem, nameProblem, senderNameProblem]) {
      expect(problem(name)).toBe("must not contain control characters");
    }
  });

  test.each([" ", "\u00a0", "\u3000 ", "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufe0f", "\u034f", ""])(
    "are no name by themselves: %j",
    (name) => {
      expect(nameProblem(name)).toBe("must not be blank");
      expect(senderNameProblem(name)).toBe("must not be blank");
    },
  );
});

/** Names in which something is not seen, and which look like other names: `Acme` with a filler in it. */
const hidden: readonly string[] = [
  // Fillers of Hangul and of Khmer, the empty Braille cell, and joiners of graphemes.
  "Ac\u3164me",
  "Ac\uffa0me",
  "Ac\u115fme",
  "Acme\u1160",
  "Ac\u17b4me",
  "Ac\u2800me",
  "Ac\u034fme",
  // Selectors that select nothing, and those of Mongolian in a Latin name.
  "Acme\ufe0f",
  "Ac\ufe0eme",
  "Ac\u{e0101}me",
  "Ac\u180bme",
  // Marks that enclose or strike through.
  "Ac\u20ddme",
  "A\u0336cme",
  "1\u20e0 Acme",
  // Marks of notes, of old Korean and of scripts of the past, and what shows nothing among them.
  ...["\u{16fe4}", "\u{1107f}", "\u{133fc}", "\u{1d165}", "\u302e", "\u{1d159}"].map((mark) => `Ac${mark}me`),
];

test.each(hidden)("%j is refused as a sender's name, and not as that of a key", (name) => {
  expect(senderNameProblem(name)).toBe("must not contain invisible characters, or marks over others");
  expect(nameProblem(name)).toBeUndefined();
});

test("the reasons that there were come first", () => {
  expect(senderNameProblem("Ac\u3164\u200bme")).toBe("must not contain control characters");
  expect(senderNameProblem("evil.com\u3164/login")).toBe("must not contain a web address");
});

test.each([
  // Joiners of Persian and of Indic scripts, of emoji, and of a flag; the forms of emoji and of a Chinese character; Mongolian letters.
  "دیجی\u200cکالا",
  "क्\u200dयोर",
  "ක්\u200dරීඩා",
  "👩\u200d💻 Ada",
  "🏳\ufe0f\u200d🌈 Shop",
  "👩🏽\u200d🚀 Space",
  "I ❤\ufe0f NY",
  "☎\ufe0e Direct",
  "葛\u{e0101}飾",
  "ᠮᠣᠩᠭᠣᠯ\u180b",
  "𝄞 Music",
  "Nguyễn",
  "Cafe\u0301",
  "בָּנְק",
])("%j is allowed as a sender's name: writing needs what is not seen in it", (name) => {
  expect(senderNameProblem(name)).toBeUndefined();
});

test("a key's name may contain an address: only its owner sees it", () => {
  expect(nameProblem("https://ci.example.com/job")).toBeUndefined();
});

test("an address is found however its escapes nest", () => {
  const escapes: readonly ((sign: string) => string)[] = [
    encodeURIComponent,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
    (sign) => `=${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    (sign) => `&#${sign.charCodeAt(0)};`,
    (sign) => `&#x${sign.charCodeAt(0).toString(16)};`,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  ];
  const layer = fc.record({ at: fc.nat(), escaped: fc.constantFrom(...escapes) });
  const addresses = fc.constantFrom("evil.com/login", "//evil.com", "www.evil.com", "eve@evil.com", "=?utf-8?q?x?=");
  fc.assert(
    fc.property(addresses, fc.array(layer, { maxLength: 12 }), (address, layers) => {
      let text = address;
      for (const { at, escaped } of layers) {
        const index = at % text.length;
        text = text.slice(0, index) + escaped(text.charAt(index)) + text.slice(index + 1);
      }
      expect(hasWebAddress(text), text).toBe(true);
    }),
    { numRuns: 3_000, seed: 18 },
  );
});

test("the check is fast for any input", () => {
  const long = [
    "@a.".repeat(30_000),
    "a.".repeat(30_000),
    "&amp;".repeat(20_000),
    "%25".repeat(30_000),
    "ﷺ".repeat(60_000),
  ];
  const startedAt = performance.now();
  for (const text of long) {
    senderNameProblem(text);
  }
  expect(performance.now() - startedAt).toBeLessThan(500);
});
