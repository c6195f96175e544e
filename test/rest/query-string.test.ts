import { expect, test } from "vitest";
import { parseQuery, splitUrl } from "../../src/rest/query-string.ts";

test.each([
  ["/", "/", ""],
  ["", "/", ""],
  ["/a/b", "/a/b", ""],
  ["/a?", "/a", ""],
  ["/a?b=c", "/a", "b=c"],
  ["/a?b?c", "/a", "b?c"],
  ["/a?b#c?d", "/a", "b"],
  ["/a#b?c", "/a", ""],
  ["?a", "/", "a"],
  ["//a/b", "//a/b", ""],
  ["/a://b/c", "/a://b/c", ""],
  ["http://h", "/", ""],
  ["http://h/", "/", ""],
  ["http://h?a=/b", "/", "a=/b"],
  ["http://h#/b", "/", ""],
  ["http://h:80/a?b", "/a", "b"],
  ["https://u:p@[::1]:8080/a", "/a", ""],
  ["http+unix://x/a", "/a", ""],
  ["*", "*", ""],
  ["/a?u=http://x/y", "/a", "u=http://x/y"],
])("the URL %j has the path %j and the query %j", (url, path, query) => {
  expect(splitUrl(url)).toEqual({ path, query });
});

test.each([
  ["", []],
  ["a", [["a", ""]]],
  ["a=", [["a", ""]]],
  ["=a", [["", "a"]]],
  ["=", [["", ""]]],
  ["&&", []],
  [
    "a=1&b=2&a=3",
    [
      ["a", "1"],
      ["b", "2"],
      ["a", "3"],
    ],
  ],
  ["a=b=c", [["a", "b=c"]]],
  ["a+b=c+d", [["a b", "c d"]]],
  ["a%2Bb=%2B", [["a+b", "+"]]],
  // A plus that begins a value is one, as people write phone numbers; one that is escaped, and a blank, is what it is.
  ["a=+65", [["a", "+65"]]],
  ["a=+65+9123", [["a", "+65 9123"]]],
  ["a=+", [["a", "+"]]],
  ["a=++", [["a", "+ "]]],
  ["a=%2065", [["a", " 65"]]],
  ["a=%20+65", [["a", "  65"]]],
  ["a=%2B65", [["a", "+65"]]],
  ["a=+%2B65", [["a", "++65"]]],
  ["a=+%C3%BC", [["a", "+ü"]]],
  ["+a=1", [[" a", "1"]]],
  ["a;b=1", [["a;b", "1"]]],
  ["a%26b=%3D", [["a&b", "="]]],
  ["%C3%BC=%F0%9F%93%9A", [["ü", "📚"]]],
])("the query %j has the parameters %j", (query, parameters) => {
  expect(parseQuery(query)).toEqual(parameters);
});
