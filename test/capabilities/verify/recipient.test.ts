import { describe, expect, test } from "vitest";
import {
  exactIndex,
  limitIndexes,
  parseRecipient,
  type Recipient,
} from "../../../src/capabilities/verify/recipient.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";

const mailProblem = { problem: "must be an email address" };
const phoneProblem = { problem: "must be a phone number in E.164 form, such as +6591234567" };

describe("a mail recipient", () => {
  test.each([
    ["ada@example.com", "ada@example.com", "ada@example.com", "ada@example.com"],
    [" ada@example.com\n", "ada@example.com", "ada@example.com", "ada@example.com"],
    ["\u202aada@example.com\u202c\u200b", "ada@example.com", "ada@example.com", "ada@example.com"],
    ["Ada.Lovelace@Example.COM", "Ada.Lovelace@example.com", "ada.lovelace@example.com", "ada.lovelace@example.com"],
    ["ada+byond@example.com", "ada+byond@example.com", "ada+byond@example.com", "ada@example.com"],
    ["ada+a+b@example.com", "ada+a+b@example.com", "ada+a+b@example.com", "ada@example.com"],
    ["+Ada@example.com", "+Ada@example.com", "+ada@example.com", "+ada@example.com"],
    ["ada@bücher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    ["ada@BÜCHER.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    [
      "ada@xn--bcher-kva.example",
      "ada@xn--bcher-kva.example",
      "ada@xn--bcher-kva.example",
      "ada@xn--bcher-kva.example",
    ],
    ["josé@example.com", "josé@example.com", "josé@example.com", "josé@example.com"],
    ["jose\u0301@example.com", "jose\u0301@example.com", "josé@example.com", "josé@example.com"],
    ["JOSÉ@example.com", "JOSÉ@example.com", "josÉ@example.com", "josé@example.com"],
    ["ＡＤＡ@example.com", "ＡＤＡ@example.com", "ＡＤＡ@example.com", "ada@example.com"],
    ["ﬁn@example.com", "ﬁn@example.com", "ﬁn@example.com", "fin@example.com"],
    ["o'brien@example.co.uk", "o'brien@example.co.uk", "o'brien@example.co.uk", "o'brien@example.co.uk"],
  ])("%j has the address %s, is identified by %s, and counts for limits as %s", (text, address, exact, folded) => {
    expect(parseRecipient("email", text)).toMatchObject({ address, exact, folded });
  });

  test.each([
    ["a.d.a@gmail.com", "ada@gmail.com"],
    ["Ada@GMail.com", "ada@gmail.com"],
    ["a.da+x.y@gmail.com", "ada@gmail.com"],
    ["ad.a@googlemail.com", "ada@gmail.com"],
    ["a.da@example.com", "a.da@example.com"],
    ["a.da@gmail.com.example", "a.da@gmail.com.example"],
    ["a.da@mail.gmail.com", "a.da@mail.gmail.com"],
    ["a_d-a@gmail.com", "a_d-a@gmail.com"],
    ["ada@me.com", "ada@icloud.com"],
    ["ada@mac.com", "ada@icloud.com"],
    ["a.da@me.com", "a.da@icloud.com"],
    ["a.d_a-@proton.me", "ada@proton.me"],
    ["a-da@protonmail.com", "ada@protonmail.com"],
    ["_@pm.me", "_@pm.me"],
    ["shop@ada.fastmail.com", "ada@fastmail.com"],
    ["other+x@ada.fastmail.fm", "ada@fastmail.fm"],
    ["a.da+x@fastmail.com", "a.da@fastmail.com"],
    ["x@a.b.fastmail.com", "x@a.b.fastmail.com"],
    ["a.da@outlook.com", "a.da@outlook.com"],
    ["ada@hotmail.com", "ada@hotmail.com"],
  ])("%s counts for limits as %s, and is identified by its own address", (text, folded) => {
    const exact = text.toLowerCase();
    expect(parseRecipient("email", text)).toMatchObject({ exact, folded });
  });

  test.each([
    "",
    " ",
    "@",
    "ada",
    "ada@",
    "@example.com",
    "ada@localhost",
    "ada@example",
    "ada@-example.com",
    "ada@example-.com",
    "ada@example..com",
    "ada@.example.com",
    "ada@127.0.0.1",
    "ada@[127.0.0.1]",
    "ada@example.com.",
    ".ada@example.com",
    "ada.@example.com",
    "a..da@example.com",
    "a da@example.com",
    "a\u200bda@example.com",
    "ada\u202c@example.com",
    "ada@exam\u202aple.com",
    "ada@exam ple.com",
    '"ada"@example.com',
    "Ada <ada@example.com>",
    "ada@example.com, eve@example.com",
    "ada@example.com\nBcc: eve@example.com",
    "ada\r\nBcc:eve@example.com",
    "ada@eve@example.com",
    "ada\0@example.com",
    `${"a".repeat(65)}@example.com`,
    `ada@${"a".repeat(64)}.com`,
    `ada@${"a.".repeat(126)}com`,
    "+6591234567",
    "ada@example.123",
    "\ud800@example.com",
  ])("%j is refused", (text) => {
    expect(parseRecipient("email", text)).toEqual(mailProblem);
  });
});

describe.each(["sms", "voice", "whatsapp"] as const)("a phone recipient for %s", (channel) => {
  test.each([
    ["+6591234567", "+6591234567"],
    [" +65 9123 4567 ", "+6591234567"],
    ["+65-9123-4567", "+6591234567"],
    ["+1 (202) 555-0123", "+12025550123"],
    ["＋６５９１２３４５６７", "+6591234567"],
    ["(+34) 954282880", "+34954282880"],
    ["（＋３４） 954282880", "+34954282880"],
    ["[+34] 954282880", "+34954282880"],
    ["\u202a+65 9123 4567\u202c", "+6591234567"],
    ["\u200e+6591234567", "+6591234567"],
    ["\u2066+65\u2069 9123\u200b4567\u00ad", "+6591234567"],
    ["\ufeff+6591234567", "+6591234567"],
    ["+٩١ ٩٨٧٦٥ ٤٣٢١٠", "+919876543210"],
    ["+९१ ९८७६५ ४३२१०", "+919876543210"],
    ["+44 20 7946 0958", "+442079460958"],
    ["+525512345678", "+525512345678"],
    ["+5215512345678", "+525512345678"],
    ["+52 1 (55) 1234-5678", "+525512345678"],
    ["+52 044 55 1234 5678", "+525512345678"],
    ["+52 01 55 1234 5678", "+525512345678"],
  ])("%j is parsed as %s", (text, e164) => {
    expect(parseRecipient(channel, text)).toMatchObject({ address: e164, exact: e164, folded: e164 });
  });

  test.each([
    ["+5491123456789", "+541123456789"],
    ["+54 11 15 2345 6789", "+541123456789"],
    ["+54 9 341 550 0000", "+543415500000"],
    ["+541123456789", "+541123456789"],
    ["+5511987654321", "+551187654321"],
    ["+551187654321", "+551187654321"],
    ["+5511912345678", "+5511912345678"],
    ["+551134567890", "+551134567890"],
    ["+525512345678", "+525512345678"],
  ])("%j counts for limits as %s, and is identified by its own number", (text, folded) => {
    const parsed = parseRecipient(channel, text);
    expect(parsed).toMatchObject({ folded });
    expect("exact" in parsed && parsed.exact).toBe("address" in parsed && parsed.address);
  });

  test.each([
    "",
    "91234567",
    "6591234567",
    "+",
    "+65",
    "+659",
    "+65912345678901234",
    "+999123456789",
    "+0123456789",
    "+6591234567 ext. 5",
    "+6591234567;ext=5",
    "call +6591234567",
    "'+6591234567",
    "tel:+6591234567",
    "tel:91234567;phone-context=+65",
    "91234567;phone-context=+65",
    "+6591234567;isub=and <b>more</b>",
    "+6591234567, +6597654321",
    "+6591234567/x5",
    "(",
    "(+",
    "\u202a\u202c",
    "+6591234567 or so",
    "ada@example.com",
    "+6591234567\0",
    "+65 9123 4567\r\nX: y",
  ])("%j is refused", (text) => {
    expect(parseRecipient(channel, text)).toEqual(phoneProblem);
  });
});

test.each(["email", "sms"] as const)(
  "malformed text as long as a request can be is refused in linear time: %s",
  (channel) => {
    const started = performance.now();
    for (const run of [" ", "\u202c", " \u202c", "1", "1 ", "(", "a.", "+"]) {
      expect(parseRecipient(channel, `x${run.repeat(64_000 / run.length)}x`)).toHaveProperty("problem");
    }
    // Each takes a millisecond or two; in quadratic time it was eleven seconds.
    expect(performance.now() - started).toBeLessThan(2_000);
  },
);

describe("a recipient's indexes", () => {
  const keyring = createKeyring(["one secret of thirty-two bytes or more", "another secret of thirty-two bytes"]);
  const [one, other] = keyring.all;
  const recipient = (text: string): Recipient => {
    const parsed = parseRecipient("email", text);
    if ("problem" in parsed) {
      throw new Error(parsed.problem);
    }
    return parsed;
  };

  test("the exact index is the same for one recipient, and differs for another recipient or secret", () => {
    if (one === undefined || other === undefined) {
      throw new Error("no secrets");
    }
    const index = exactIndex(one, recipient("ada@example.com"));
    expect(exactIndex(one, recipient("ADA@example.com"))).toBe(index);
    expect(exactIndex(one, recipient("eve@example.com"))).not.toBe(index);
    expect(exactIndex(one, recipient("ada+x@example.com"))).not.toBe(index);
    expect(exactIndex(other, recipient("ada@example.com"))).not.toBe(index);
    expect(index).not.toContain("ada");
  });

  test("there is one limit index for each secret; it is the same for all spellings of a mailbox, and never equals an exact index", () => {
    const indexes = limitIndexes(keyring, recipient("a.da+x@gmail.com"));
    expect(new Set(indexes).size).toBe(2);
    expect(limitIndexes(keyring, recipient("ada@googlemail.com"))).toEqual(indexes);
    const exact = keyring.all.map((secret) => exactIndex(secret, recipient("ada@gmail.com")));
    expect(exact.filter((index) => indexes.includes(index))).toEqual([]);
  });
});
