import { expect, test } from "vitest";
import { parseAccountAddress, parseMailAddress } from "../../src/text/mail-address.ts";

test.each([
  ["ada@example.com", "ada", "example.com"],
  ["Ada+tag@EXAMPLE.Com", "Ada+tag", "example.com"],
  ["ada@bücher.example", "ada", "xn--bcher-kva.example"],
  ["ada@例え.テスト", "ada", "xn--r8jz45g.xn--zckzah"],
  ["用户@example.com", "用户", "example.com"],
  ["!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-", "example.com"],
  [`${"a".repeat(64)}@example.com`, "a".repeat(64), "example.com"],
  ["a@1.2.example", "a", "1.2.example"],
])("%s is an address", (text, local, domain) => {
  expect(parseMailAddress(text)).toEqual({ local, domain });
});

test("254 bytes are an address, 255 are not", () => {
  const ofLength = (length: number) => {
    const labels = `${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(59)}`;
    const rest = length - `${"a".repeat(60)}@${labels}.`.length;
    return `${"a".repeat(60)}@${labels}.${"e".repeat(rest)}`;
  };
  expect(ofLength(254)).toHaveLength(254);
  expect(parseMailAddress(ofLength(250))).toBeDefined();
  expect(parseMailAddress(ofLength(254))).toBeDefined();
  expect(parseMailAddress(ofLength(255))).toBeUndefined();
  // 33 letters of two bytes: 66 bytes before the @.
  expect(parseMailAddress(`${"ü".repeat(33)}@example.com`)).toBeUndefined();
});

test.each([
  "ada@evil.example/corp.example",
  "ada@evil.example#.corp.example",
  "ada@evil.example?.corp.example",
  "ada@evil.example\\.corp.example",
  "ada@ex%61mple.org",
  "ada@exa\nmple.org",
  "ada@exa\tmple.org",
  "ada@exa\u00admple.org",
  "ada@example.org:25",
  "ada@[127.0.0.1]",
  "ada@ example.org",
])("%j is no address: nothing is sent elsewhere than it says", (text) => {
  expect(parseMailAddress(text)).toBeUndefined();
});

test.each([
  ["Ada@Example.com", "ada@example.com"],
  [" ada@example.com\n", "ada@example.com"],
  ["\u200eada@example.com\u200b", "ada@example.com"],
  ["ＡＤＡ@example.com", "ＡＤＡ@example.com"],
  ["²ADA@example.com", "²ada@example.com"],
  ["x🄁a@example.com", "x🄁a@example.com"],
  ["A\u0308da@example.com", "\u00c4da@example.com"],
  ["ada+work@example.com", "ada+work@example.com"],
  ["ada@BÜCHER.example", "ada@xn--bcher-kva.example"],
])("the account of %s is %s", (text, address) => {
  expect(parseAccountAddress(text)).toBe(address);
});
