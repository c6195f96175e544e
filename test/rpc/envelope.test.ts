import { describe, expect, test } from "vitest";
import { checkEnvelopeHeader, wantsEnvelope, wrapInEnvelope } from "../../src/rpc/envelope.ts";

describe("the header Byond-Envelope", () => {
  test.each([
    ["true", true],
    ["TRUE", true],
    ["false", false],
    [undefined, false],
  ])("Byond-Envelope: %s is %s", (value, wanted) => {
    const headers = new Headers(value === undefined ? {} : { "Byond-Envelope": value });
    checkEnvelopeHeader(headers);
    expect(wantsEnvelope(headers)).toBe(wanted);
  });

  test.each(["1", "yes", "", "true, true"])("Byond-Envelope: %j is refused", (value) => {
    const headers = new Headers({ "Byond-Envelope": value });
    expect(wantsEnvelope(headers)).toBe(false);
    expect(() => checkEnvelopeHeader(headers)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});

describe("wrapping", () => {
  test("an answer becomes data", () => {
    expect(wrapInEnvelope(true, '{"status":"approved"}')).toBe('{"ok":true,"data":{"status":"approved"}}');
  });

  test("an error keeps its member", () => {
    const body = '{"error":{"code":"not_found","message":"No \\"such\\" thing."}}';
    expect(wrapInEnvelope(false, body)).toBe(
      '{"ok":false,"error":{"code":"not_found","message":"No \\"such\\" thing."}}',
    );
  });

  test("no body becomes null", () => {
    expect(wrapInEnvelope(true, "")).toBe('{"ok":true,"data":null}');
  });

  test("numbers beyond JavaScript's precision, and repeated members, are kept as they are", () => {
    const json = '{"id":12345678901234567890,"a":1,"a":2}';
    expect(wrapInEnvelope(true, json)).toBe(`{"ok":true,"data":${json}}`);
  });

  test("an error body of another form throws", () => {
    expect(() => wrapInEnvelope(false, "[]")).toThrow(TypeError);
    expect(() => wrapInEnvelope(false, '{ "error": {} }')).toThrow(TypeError);
  });
});
