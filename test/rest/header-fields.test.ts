import { describe, expect, test } from "vitest";
import { HeaderFields, trimFieldValue } from "../../src/rest/header-fields.ts";

/** What is done to headers, and what they hold afterwards. */
const changes: readonly [name: string, change: (headers: Headers) => void][] = [
  ["nothing", () => undefined],
  ["a name in capitals", (headers) => headers.set("X-Request-Id", "1")],
  ["a value that is replaced", (headers) => [headers.set("a", "1"), headers.set("A", "2")]],
  ["values of one name", (headers) => [headers.append("Vary", "Accept"), headers.append("vary", "Origin")]],
  ["an empty value", (headers) => [headers.set("a", ""), headers.append("a", "1")]],
  ["blanks around a value", (headers) => headers.set("a", " \t 1 2\r\n")],
  ["a no-break space, which is no blank", (headers) => headers.set("a", "\u00a01\u00a0")],
  ["a header that is taken away", (headers) => [headers.set("a", "1"), headers.delete("A"), headers.delete("b")]],
  ["several cookies", (headers) => [headers.append("Set-Cookie", "a=1"), headers.append("set-cookie", "b=2")]],
  ["a cookie that is replaced", (headers) => [headers.append("Set-Cookie", "a=1"), headers.set("Set-Cookie", "b=2")]],
  ["cookies that are taken away", (headers) => [headers.append("Set-Cookie", "a=1"), headers.delete("Set-Cookie")]],
];

/** All that headers tell, in one order. */
function contentOf(headers: Headers) {
  const visited: [string, string][] = [];
  headers.forEach((value, name) => {
    visited.push([name, value]);
  });
  const sorted = (entries: Iterable<[string, string]>) =>
    [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    entries: sorted(headers),
    visited: sorted(visited),
    names: [...headers.keys()].sort(),
    values: [...headers.values()].sort(),
    cookies: headers.getSetCookie(),
    read: ["A", "b", "VARY", "set-cookie", "X-request-ID"].map((name) => [headers.get(name), headers.has(name)]),
    copied: sorted(new Headers(headers)),
  };
}

test.each(changes)("with %s they are as a Headers of the runtime", (_, change) => {
  const own = new HeaderFields();
  const reference = new Headers();
  change(own);
  change(reference);
  expect(contentOf(own)).toEqual(contentOf(reference));
});

describe("they refuse, as a Headers does,", () => {
  test.each(["", "a b", "a:", "é"])("the name %j", (name) => {
    expect(() => new HeaderFields().set(name, "1")).toThrow(TypeError);
    expect(() => new HeaderFields().append(name, "1")).toThrow(TypeError);
  });

  test.each(["a\r\nb", "a\0", "\u0100"])("the value %j", (value) => {
    expect(() => new HeaderFields().set("a", value)).toThrow(TypeError);
    expect(() => new HeaderFields().append("a", value)).toThrow(TypeError);
  });
});

test("they list what they hold in the order in which it was first set", () => {
  const headers = new HeaderFields(["b", "1"]);
  headers.set("a", "2");
  headers.set("b", "3");
  expect([...headers]).toEqual([
    ["b", "3"],
    ["a", "2"],
  ]);
});

test.each(["", " ", "a", " a b\t", "\na\r"])("the blanks around %j are no part of a value", (value) => {
  expect(trimFieldValue(value)).toBe(value.trim());
});

test("they add what they hold to a list of names and values, each cookie on its own", () => {
  const fields = new HeaderFields();
  const list = ["first", "0"];
  fields.appendTo(list);
  expect(list).toEqual(["first", "0"]);
  fields.set("Vary", "Accept");
  fields.append("Set-Cookie", "a=1");
  fields.append("Set-Cookie", "b=2");
  fields.appendTo(list);
  expect(list).toEqual(["first", "0", "vary", "Accept", "set-cookie", "a=1", "set-cookie", "b=2"]);
});
