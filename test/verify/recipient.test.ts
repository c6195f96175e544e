import { describe, expect, test } from "vitest";
import { createKeyring } from "../../src/secrets.ts";
import { parseRecipient, recipientIndex } from "../../src/verify/recipient.ts";

const mailProblem = { problem: "must be an email address" };
const phoneProblem = { problem: "must be a phone number in E.164 form, such as +6591234567" };

describe("a mail recipient", () => {
  test.each([
    ["ada@example.com", "ada@example.com", "ada@example.com"],
    [" ada@example.com\n", "ada@example.com", "ada@example.com"],
    ["Ada.Lovelace@Example.COM", "Ada.Lovelace@example.com", "ada.lovelace@example.com"],
    ["ada+byond@example.com", "ada+byond@example.com", "ada@example.com"],
    ["ada+a+b@example.com", "ada+a+b@example.com", "ada@example.com"],
    ["+Ada@example.com", "+Ada@example.com", "+ada@example.com"],
    ["ada@bücher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    ["ada@BÜCHER.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    ["ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    ["josé@example.com", "josé@example.com", "josé@example.com"],
    ["ＡＤＡ@example.com", "ＡＤＡ@example.com", "ada@example.com"],
    ["o'brien@example.co.uk", "o'brien@example.co.uk", "o'brien@example.co.uk"],
  ])("%j is addressed as %s and limited as %s", (text, address, canonical) => {
    expect(parseRecipient("email", text)).toEqual({ address, canonical });
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
    ["+44 20 7946 0958", "+442079460958"],
  ])("%j is %s", (text, e164) => {
    expect(parseRecipient(channel, text)).toEqual({ address: e164, canonical: e164 });
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
    "+6591234567 or so",
    "ada@example.com",
    "+6591234567\0",
    "+65 9123 4567\r\nX: y",
  ])("%j is refused", (text) => {
    expect(parseRecipient(channel, text)).toEqual(phoneProblem);
  });
});

describe("a recipient's index", () => {
  const { all } = createKeyring(["one secret of thirty-two bytes or more", "another secret of thirty-two bytes"]);
  const [one, other] = all;

  test("is the same for the same recipient, and another for any other recipient or secret", () => {
    if (one === undefined || other === undefined) {
      throw new Error("no secrets");
    }
    const index = recipientIndex(one, "ada@example.com");
    expect(recipientIndex(one, "ada@example.com")).toBe(index);
    expect(recipientIndex(one, "eve@example.com")).not.toBe(index);
    expect(recipientIndex(other, "ada@example.com")).not.toBe(index);
    expect(index).not.toContain("ada");
  });
});
