import { describe, expect, test } from "vitest";
import { DsnParameters } from "../../../src/capabilities/channels/dsn.ts";
import type { ProviderChannel } from "../../../src/capabilities/channels/provider-kind.ts";
import { withPlainSigns } from "../../../src/capabilities/channels/sms-text/plain-signs.ts";
import { countSegments } from "../../../src/capabilities/channels/sms-text/segments.ts";
import { readSenders, senderFor } from "../../../src/capabilities/channels/sms-text/senders.ts";

describe("the parts of a text message", () => {
  test.each([
    ["", 1],
    ["493817 is your Acme verification code. It expires in 5 minutes. Do not share it.", 1],
    ["a".repeat(160), 1],
    ["a".repeat(161), 2],
    ["a".repeat(306), 2],
    ["a".repeat(307), 3],
    // Two septets each.
    ["€".repeat(80), 1],
    ["€".repeat(81), 2],
    // A pair is not divided: 76 in the first part, whose 153rd septet stays empty.
    ["€".repeat(152), 2],
    ["€".repeat(153), 3],
    ["à£ßΩÆ¿", 1],
    // One character beyond the alphabet, and all of it is UCS-2.
    [`${"a".repeat(69)}ç`, 1],
    [`${"a".repeat(70)}ç`, 2],
    ["я".repeat(134), 2],
    ["я".repeat(135), 3],
    ["😀".repeat(35), 1],
    ["😀".repeat(36), 2],
    ["😀".repeat(66), 2],
    ["😀".repeat(67), 3],
  ])("of %j are %i", (text, segments) => {
    expect(countSegments(text)).toBe(segments);
  });
});

describe("typographic signs", () => {
  test.each([
    ["493817 is your Joe’s Pizza code", "493817 is your Joe's Pizza code"],
    ["“A” – B — C\u00a0D\u202fE…", '"A" - B - C D E...'],
    // With another character beyond the alphabet nothing is won.
    ["Łukasz’s", "Łukasz’s"],
    ["«Café»’", "«Café»’"],
    ["plain 'text'", "plain 'text'"],
  ])("%j is sent as %j", (text, sent) => {
    expect(withPlainSigns(text)).toBe(sent);
  });
});

describe("the sender", () => {
  const read = (query: string, channel: ProviderChannel = "sms") => readSenders(new DsnParameters(query), channel);

  test.each([
    ["from=+15550100", "+6591234567", "+15550100"],
    ["from=ACME", "+6591234567", "ACME"],
    ["from=72345", "+6591234567", "72345"],
    ["from=ACME&from.US=+15550100", "+12025550123", "+15550100"],
    ["from=ACME&from.US=+15550100", "+14165550123", "ACME"],
    ["from.SG=ACME%20Pay", "+6591234567", "ACME Pay"],
    ["from.SG=ACME", "+12025550123", undefined],
    ["from=ACME&from.SG=Other", "+99912345678", "ACME"],
  ])("with %s of a message to %s is %s", (query, recipient, sender) => {
    expect(senderFor(read(query), recipient)).toBe(sender);
  });

  test.each([
    ["", "sms", "it must have a sender: ?from=+15550100"],
    ["from=", "sms", "it must have a sender: ?from=+15550100"],
    ["from=TwelveLetter", "sms", /^its parameter from must be a number in E.164 form, a short code, or a name/],
    ["from=12345678901", "sms", /^its parameter from must be/],
    ["from=Acme!", "sms", /^its parameter from must be/],
    ["from=%20Acme", "sms", /^its parameter from must be/],
    ["from.SG=", "sms", /^its parameter from.SG must be/],
    ["from.us=ACME", "sms", /^its parameters from.… must end with a region/],
    ["from.XX=ACME", "sms", /^its parameters from.… must end with a region/],
    ["from.US=ACME", "sms", "its parameter from.US must be a number: carriers of the region take no names"],
    ["from=ACME", "voice", /^its parameter from must be a number in E.164 form/],
    ["from=72345", "voice", /^its parameter from must be a number in E.164 form/],
  ] as const)("%j for %s is refused at the start", (query, channel, problem) => {
    expect(() => read(query, channel)).toThrow(problem);
  });
});
