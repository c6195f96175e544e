import { expect, test } from "vitest";
import { parsePhoneNumber } from "../../src/text/phone-number.ts";

test.each([
  ["+5215512345678", "+525512345678"],
  ["+52 1 55 1234 5678", "+525512345678"],
  ["+52 044 55 1234 5678", "+525512345678"],
  ["+52 045 33 1234 5678", "+523312345678"],
  ["+52 01 55 1234 5678", "+525512345678"],
  ["+525512345678", "+525512345678"],
  ["+54 9 11 2345 6789", "+5491123456789"],
  ["+54 11 15 2345-6789", "+5491123456789"],
  ["+54 011 15 2345-6789", "+5491123456789"],
  ["+54 9 11 15 2345-6789", "+5491123456789"],
  ["+54 9 011 15 2345-6789", "+5491123456789"],
  ["+54 9 0343 15 555 1212", "+5493435551212"],
  ["+54 343 15 5551212", "+5493435551212"],
  ["+54 9 3541 15 523456", "+5493541523456"],
  ["+54 11 2345 6789", "+541123456789"],
])("the form %s of a mobile number is %s", (text, e164) => {
  const number = parsePhoneNumber(text);
  expect(number?.number).toBe(e164);
  expect(number?.isPossible()).toBe(true);
});

test.each([
  ["1 55 1234 5678", "MX", "+525512345678"],
  ["044 55 1234 5678", "MX", "+525512345678"],
  ["01 55 1234 5678", "MX", "+525512345678"],
  ["55 1234 5678", "MX", "+525512345678"],
  ["011 15 2345-6789", "AR", "+5491123456789"],
  ["11 15 2345-6789", "AR", "+5491123456789"],
] as const)("%s, as it is dialled in %s, is %s", (text, country, e164) => {
  expect(parsePhoneNumber(text, country)?.number).toBe(e164);
});

test("an extension stays with the number", () => {
  expect(parsePhoneNumber("+52 1 55 1234 5678 ext. 12")).toMatchObject({ number: "+525512345678", ext: "12" });
});

test.each(["+52155123456789", "+54 9 11 99 2345 6789", "+54 9 99 15 2345 678 90"])(
  "%s, which is no form of any number, stays impossible",
  (text) => {
    expect(parsePhoneNumber(text)?.isPossible() ?? false).toBe(false);
  },
);
