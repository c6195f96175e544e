/** Numbers of many plans, told from the plans that the server carries. */
import { describe, expect, test } from "vitest";
import { countryName, lookupNumber, parseRegion } from "../../../src/capabilities/lookup/lookup-number.ts";
import { knownRegions } from "../../../src/text/numbering-plans.ts";

const lookup = (number: string, country?: string) =>
  lookupNumber({ number, country: country === undefined ? undefined : parseRegion(country) });

test.each([
  // number, country, E.164, region, country's name, national format, line type
  ["+6591234567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["91234567", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["6591234567", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+65 6123 4567", undefined, "+6561234567", "SG", "Singapore", "6123 4567", "fixed_line"],
  ["+65 3123 4567", undefined, "+6531234567", "SG", "Singapore", "3123 4567", "voip"],
  ["+65 1800 123 4567", undefined, "+6518001234567", "SG", "Singapore", "1800 123 4567", "toll_free"],
  ["020 7946 0958", "GB", "+442079460958", "GB", "United Kingdom", "020 7946 0958", "fixed_line"],
  ["+44 7400 123456", undefined, "+447400123456", "GB", "United Kingdom", "07400 123456", "mobile"],
  ["+44 7781 123456", undefined, "+447781123456", "GG", "Guernsey", "07781 123456", "mobile"],
  ["06 12345678", "NL", "+31612345678", "NL", "Netherlands", "06 12345678", "mobile"],
  ["+49 1512 3456789", undefined, "+4915123456789", "DE", "Germany", "01512 3456789", "mobile"],
  ["+1 800 253 0000", undefined, "+18002530000", "US", "United States", "(800) 253-0000", "toll_free"],
  ["+383 43 201 234", undefined, "+38343201234", "XK", "Kosovo", "043 201 234", "mobile"],
  ["+81 3-1234-5678", undefined, "+81312345678", "JP", "Japan", "03-1234-5678", "fixed_line"],
  ["０３-１２３４-５６７８", "JP", "+81312345678", "JP", "Japan", "03-1234-5678", "fixed_line"],
  ["＋６５９１２３４５６７", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  [" 91234567 ", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  [" +6591234567 ", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  // What people and programs put around a number.
  ["(+65) 9123-4567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["tel:+65-9123-4567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["tel:9123-4567;phone-context=+65", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["tel:+65-9123-4567;isub=12345", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["'+6591234567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["Tel. 9123 4567", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["call me: +6591234567!", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["<+6591234567>,", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+65 9123 4567/x5", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["++6591234567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["(++65) 9123-4567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+65*9123*4567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+65 9123 4567 (m)", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["91234567hp", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+65 9123 4567 x", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["\u202a+65 9123 4567\u202c", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["\u200e91234567\u200f", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+65\u200e 9123\u202c 4567", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["٩١٢٣٤٥٦٧", "SG", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  ["+६५ ९१२३ ४५६७", undefined, "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
  // A number in E.164 form is what it says, whatever the hint.
  ["+6591234567", "US", "+6591234567", "SG", "Singapore", "9123 4567", "mobile"],
])("%j with country %s is %s", (number, country, e164, countryCode, name, nationalFormat, lineType) => {
  expect(lookup(number, country)).toMatchObject({
    e164,
    valid: true,
    possible: true,
    countryCode,
    country: name,
    nationalFormat,
    lineType,
    possibleLineTypes: [lineType],
  });
});

test.each([
  "",
  "hello",
  "+",
  "+ 65",
  "12",
  "91234567",
  " 6591234567",
  "+99912345",
  "tel:",
  "+65",
  // A part of a text is no number that somebody meant.
  "+1 800 FLOWERS now",
  "+6591234567 is wrong",
  "+6591234567 or +6597654321",
  "2nd: +6591234567",
  "+65 9123 4567 mobile",
  "+65 9123 m 4567",
  "\u202a\u202c",
  "\ud83d\udcde",
  "()",
])("%j cannot be parsed", (number) => {
  expect(lookup(number)).toEqual({
    input: number,
    e164: null,
    valid: false,
    possible: false,
    countryCode: null,
    country: null,
    nationalFormat: null,
    lineType: "unknown",
    possibleLineTypes: [],
  });
});

describe("the phone-context of a tel: URI (RFC 3966 §5.1.4)", () => {
  test.each([
    ["tel:9123-4567;phone-context=+65", undefined, "+6591234567"],
    ["9123-4567;phone-context=+65", "US", "+6591234567"],
    ["tel:079 123 45 67;phone-context=+41", undefined, "+41791234567"],
    ["tel:253-0000;phone-context=+1-650", undefined, "+16502530000"],
    ["tel:9123-4567;ext=5;phone-context=+65", undefined, "+6591234567"],
    ["tel:9123-4567;phone-context=+65;ext=5", undefined, "+6591234567"],
    ["tel:9123-4567;isub=12;phone-context=+65", undefined, "+6591234567"],
    ["tel:9123-4567;Phone-Context=+65", undefined, "+6591234567"],
    ["tel:٩١٢٣٤٥٦٧;phone-context=+٦٥", undefined, "+6591234567"],
    ["tel:9123-4567;phone-context=example.com", "SG", "+6591234567"],
    ["tel:9123-4567;phone-context=sg.example.com.", "SG", "+6591234567"],
    ["tel:9123-4567;phone-context=example.com", undefined, null],
    ["tel:9123-4567;phone-context=", "SG", null],
    ["tel:9123-4567;phone-context=65", "SG", null],
    ["tel:9123-4567;phone-context=+", "SG", null],
    ["tel:9123-4567;phone-context=+65 x", "SG", null],
    ["tel:+6591234567;phone-context=+65", undefined, null],
    [";phone-context=+65;tel:91234567", undefined, null],
  ])("%j with country %s is %s, however often it is asked", (number, country, e164) => {
    expect([1, 2, 3].map(() => lookup(number, country).e164)).toEqual([e164, e164, e164]);
  });

  test("of one number does not change the next lookup", () => {
    expect(lookup("tel:2015550123;phone-context=+1").e164).toBe("+12015550123");
    expect(lookup("tel:2079460958;phone-context=+44").e164).toBe("+442079460958");
  });
});

test("an unassigned number of a plausible length is possible, not valid, and of unknown type", () => {
  expect(lookup("+6521234567")).toMatchObject({
    e164: "+6521234567",
    valid: false,
    possible: true,
    lineType: "unknown",
    possibleLineTypes: [],
  });
});

test("a number of an implausible length is neither possible nor valid, and still has its E.164 form", () => {
  expect(lookup("+65912345")).toMatchObject({ e164: "+65912345", valid: false, possible: false });
});

test("if the plan does not distinguish mobile from fixed line, the type is unknown and both are possible", () => {
  expect(lookup("+12025550123")).toMatchObject({
    valid: true,
    countryCode: "US",
    lineType: "unknown",
    possibleLineTypes: ["mobile", "fixed_line"],
  });
});

test("a number of an international network has no region", () => {
  expect(lookup("+80012345678")).toMatchObject({
    e164: "+80012345678",
    valid: true,
    countryCode: null,
    country: null,
    lineType: "toll_free",
  });
});

test.each(["+6591234567", " 6591234567", "  6591234567", " +6591234567", " hello", "(+65) 9123-4567"])(
  "the input %j is echoed as it was sent",
  (number) => {
    expect(lookup(number).input).toBe(number);
  },
);

describe("regions", () => {
  test("every region of the plans is known and has an English name", () => {
    const nameless = knownRegions().filter((code) => parseRegion(code) !== code || countryName(code) === null);
    expect(nameless).toEqual([]);
    expect(knownRegions().length).toBeGreaterThan(240);
  });

  test.each(["sg", "Sg", "SG"])("%s is Singapore, in either case", (code) => {
    expect(parseRegion(code)).toBe("SG");
  });

  test.each(["", "S", "SGP", "XX", "ZZ", "001", "QQ", "65", "s g", "SG ", "constructor", "__proto__", "ſg", "ﬆ"])(
    "%j is none",
    (code) => {
      expect(parseRegion(code)).toBeUndefined();
    },
  );
});
