import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recognise } from "../../src/server/protocol-sniffer.ts";
import { findAuthorityFault, findTargetFault } from "../../src/server/request-target.ts";

describe("the host of a request", () => {
  test.each([
    "localhost",
    "127.0.0.1:8080",
    "[::1]:8080",
    "[::1]",
    "api.example.com",
    "a_b.example",
    "xn--bcher-kva.example:1",
    "api.example.com:",
  ])("%s passes", (authority) => expect(findAuthorityFault(authority)).toBeUndefined());
  test.each([
    "",
    "[",
    "[::1",
    "a b",
    "a:b",
    "a:99999",
    "a@b",
    "a/b",
    "a?b",
    "a#b",
    "a,b",
    "ü",
    "256.256.256.256",
    "[1]",
    ":80",
    "a:80:80",
    "%61",
  ])("%j does not", (authority) => expect(findAuthorityFault(authority)).toBe("The Host header is malformed."));
});

describe("the target of a request", () => {
  test.each([
    "/",
    "/api/v1/lookup?number=+6591234567&country=SG",
    "/a%20b",
    "/%C3%BC",
    "/a//b",
    "/?a=|&b=%zz",
    "/?a=//b",
    "/a:b@c",
  ])("%s passes", (target) => expect(findTargetFault(target)).toBeUndefined());
  test.each([
    "",
    "*",
    "a",
    "//",
    "//a/b",
    "/\\a",
    "/a\\b",
    "http://a/b",
    "/a#b",
    "/a b",
    "/ü",
    "/a\u0000",
    "/\u007f",
    "/%",
    "/%2",
    "/%zz",
    "/%ff",
    "/%C3",
    "/%00",
    "/a%0d%0ab",
  ])("%j does not", (target) => expect(findTargetFault(target)).toEqual(expect.any(String)));

  test("a host and target that pass make a URL with that host and path", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.string({ unit: fc.constantFrom(..."/\\?#%:@[].a0 "), maxLength: 12 }),
    );
    fc.assert(
      fc.property(text, text, (authority, rest) => {
        const target = `/${rest}`;
        if (findAuthorityFault(authority) !== undefined || findTargetFault(target) !== undefined) return;
        const url = new URL(target, `http://${authority}`);
        expect(url.host).toBe(new URL(`http://${authority}`).host);
        expect(url.username + url.password + url.hash).toBe("");
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });
});

describe("the first bytes of a connection", () => {
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  test.each([
    ["nothing", "", undefined],
    ["one byte of either", "P", undefined],
    ["all but the last byte of the preface", preface.slice(0, -1), undefined],
    ["the preface", preface, "http2"],
    ["the preface and more", `${preface}more`, "http2"],
    ["another method that begins alike", "PO", "http1"],
    ["a preface that goes wrong at its last byte", `${preface.slice(0, -1)}x`, "http1"],
    ["garbage", "\u0000", "http1"],
  ])("%s", (_name, received, protocol) => expect(recognise(Buffer.from(received))).toBe(protocol));
});
