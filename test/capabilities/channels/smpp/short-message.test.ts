import { expect, test } from "vitest";
import { encodeText } from "../../../../src/capabilities/channels/smpp/short-message.ts";
import { countSegments } from "../../../../src/capabilities/channels/sms-text/segments.ts";

const gsm = { defaultAlphabet: "gsm7", longMessages: "udh" } as const;
const hex = (text: string, encoding: Parameters<typeof encodeText>[1] = gsm) => {
  const { parts, segments } = encodeText(text, encoding, 0xab);
  return {
    segments,
    parts: parts.map(({ data_coding, esm_class, short_message, message_payload }) => [
      data_coding,
      esm_class ?? 0,
      Buffer.from((short_message ?? message_payload) as Buffer).toString("hex"),
    ]),
  };
};

test.each([
  ["GSM 03.38 by its own table", "@£ _493817", gsm, 0, "0001201134393338 3137"],
  ["its extension by two septets", "[€]", gsm, 0, "1b3c1b651b3e"],
  ["other characters as UCS-2", "код 42", gsm, 8, "043a043e04340020 00340032"],
  ["characters beyond the BMP as two units", "😀", gsm, 8, "d83dde00"],
  ["an escape as UCS-2", "a\u001be", gsm, 8, "0061001b0065"],
  ["Latin-1 where the SMSC reads that", "@é_", { ...gsm, defaultAlphabet: "latin1" }, 0, "40e95f"],
  ["what Latin-1 lacks as UCS-2", "€", { ...gsm, defaultAlphabet: "latin1" }, 8, "20ac"],
  ["what GSM 03.38 lacks as UCS-2", "ç", { ...gsm, defaultAlphabet: "latin1" }, 8, "00e7"],
] as const)("encodes %s", (_name, text, encoding, coding, octets) => {
  expect(hex(text, encoding)).toEqual({ segments: 1, parts: [[coding, 0, octets.replaceAll(" ", "")]] });
});

test.each([
  ["160 septets", "a".repeat(160), [160]],
  ["161 septets", "a".repeat(161), [153, 8]],
  ["an extended character at the end of a part", `${"a".repeat(152)}€${"a".repeat(10)}`, [152, 12]],
  ["306 septets", "a".repeat(306), [153, 153]],
  ["70 units", "я".repeat(70), [140]],
  ["71 units", "я".repeat(71), [134, 8]],
  ["a surrogate pair at the end of a part", `${"я".repeat(66)}😀${"я".repeat(5)}`, [132, 14]],
])("cuts %s into parts that a phone can join", (_name, text, lengths) => {
  const { parts, segments } = hex(text);
  expect([segments, countSegments(text)]).toEqual([lengths.length, lengths.length]);
  if (lengths.length === 1) {
    expect(parts.map(([, , octets]) => String(octets).length / 2)).toEqual(lengths);
    return;
  }
  for (const [index, [, esmClass, octets]] of parts.entries()) {
    const header = `050003ab0${parts.length}0${index + 1}`;
    expect([esmClass, String(octets).slice(0, 12)]).toEqual([0x40, header]);
    expect(String(octets).length / 2 - 6).toBe(lengths[index]);
  }
});

test("leaves a long message whole in message_payload where the SMSC is to cut it", () => {
  const whole = { ...gsm, longMessages: "payload" } as const;
  expect(encodeText("a".repeat(161), whole, 1)).toEqual({
    segments: 2,
    parts: [{ data_coding: 0, message_payload: Buffer.from("a".repeat(161)) }],
  });
  expect(encodeText("a", whole, 1).parts).toEqual([{ data_coding: 0, short_message: Buffer.from("a") }]);
});
