import { describe, expect, test } from "vitest";
import { PathTemplateError, parsePathTemplate } from "../../src/rest/path-template.ts";

const stars = { single: "*", multi: "**" };

/** A template in short: segments as they are, variables as `path=start..end` with `+` if they span segments, the verb. */
function outline(template: string): string {
  const { segments, variables, verb } = parsePathTemplate(template);
  const path = segments.map((segment) => (segment.kind === "literal" ? segment.value : stars[segment.kind]));
  const bound = variables.map(
    ({ fieldPath, start, end, multiSegment }) => ` ${fieldPath}=${start}..${end}${multiSegment ? "+" : ""}`,
  );
  return `/${path.join("/")}${bound.join("")}${verb === undefined ? "" : ` :${verb}`}`;
}

describe("a template is parsed", () => {
  test.each([
    ["/", "/"],
    ["/v1", "/v1"],
    ["/v1/books", "/v1/books"],
    ["/v1/books/featured", "/v1/books/featured"],
    ["/*", "/*"],
    ["/**", "/**"],
    ["/v1/*", "/v1/*"],
    ["/v1/**", "/v1/**"],
    ["/v1/*/books", "/v1/*/books"],
    ["/*/*/*", "/*/*/*"],
    ["/v1/**/details", "/v1/**/details"],
    ["/**/a/*/b", "/**/a/*/b"],
    ["/v1/{name}", "/v1/* name=1..2"],
    ["/v1/{name=*}", "/v1/* name=1..2"],
    ["/v1/{name=**}", "/v1/** name=1..2+"],
    ["/v1/{name=books}", "/v1/books name=1..2"],
    ["/v1/{name=books/*}", "/v1/books/* name=1..3+"],
    ["/v1/{name=shelves/*/books/*}", "/v1/shelves/*/books/* name=1..5+"],
    ["/v1/{name=files/**}", "/v1/files/** name=1..3+"],
    ["/v1/{name=**/x}", "/v1/**/x name=1..3+"],
    ["/v1/{path=**}/pages/{page}", "/v1/**/pages/* path=1..2+ page=3..4"],
    ["/v1/{a}/{b}", "/v1/*/* a=1..2 b=2..3"],
    ["/{a}/x/{b=y/*}/z", "/*/x/y/*/z a=0..1 b=2..4+"],
    ["/v1/{book.name=shelves/*}", "/v1/shelves/* book.name=1..3+"],
    ["/v1/{a.b.c}", "/v1/* a.b.c=1..2"],
    ["/v1/{_x}", "/v1/* _x=1..2"],
    ["/v1/{x1.y_2}", "/v1/* x1.y_2=1..2"],
    ["/v1/{A}", "/v1/* A=1..2"],
    ["/v1/{a}/{a.b}", "/v1/*/* a=1..2 a.b=2..3"],
    ["/v1:verb", "/v1 :verb"],
    ["/v1/books:batchGet", "/v1/books :batchGet"],
    ["/v1/{name}:cancel", "/v1/* name=1..2 :cancel"],
    ["/v1/{name=books/*}:move", "/v1/books/* name=1..3+ :move"],
    ["/v1/**:verb", "/v1/** :verb"],
    ["/v1/*:verb", "/v1/* :verb"],
    ["/v1/a-b_c.d~e", "/v1/a-b_c.d~e"],
    ["/v1/a!b$c&d'e(f)g+h,i;j", "/v1/a!b$c&d'e(f)g+h,i;j"],
    ["/v1/a=b@c", "/v1/a=b@c"],
    ["/v1/a%20b", "/v1/a b"],
    ["/v1/%C3%BC", "/v1/ü"],
    ["/v1/a%2Fb", "/v1/a/b"],
    ["/v1/books:do%20it", "/v1/books :do it"],
    ["/v1/1234", "/v1/1234"],
    ["/.well-known/x", "/.well-known/x"],
  ])("%s", (template, expected) => {
    expect(outline(template)).toBe(expected);
    expect(parsePathTemplate(template).source).toBe(template);
  });
});

describe("a template that breaks the grammar is rejected with the position", () => {
  test.each([
    ["", 0, 'expected "/"'],
    ["v1", 0, 'expected "/"'],
    ["*", 0, 'expected "/"'],
    ["{x}", 0, 'expected "/"'],
    [":verb", 0, 'expected "/"'],
    ["//", 1, "expected a segment"],
    ["/v1/", 4, "expected a segment"],
    ["/v1//x", 4, "expected a segment"],
    ["/:verb", 1, "expected a segment"],
    ["/v1/:verb", 4, "expected a segment"],
    ["/v1:", 4, "expected a verb"],
    ["/v1:a:b", 5, 'unexpected ":"'],
    ["/v1:a/b", 5, 'unexpected "/"'],
    ["/v1:a*", 5, 'unexpected "*"'],
    ["/v1:*", 4, "expected a verb"],
    ["/v1:{x}", 4, "expected a verb"],
    ["/a:b/c", 4, 'unexpected "/"'],
    ["/v1/***", 6, 'unexpected "*"'],
    ["/v1/*a", 5, 'unexpected "a"'],
    ["/v1/a*", 5, 'unexpected "*"'],
    ["/v1/**a", 6, 'unexpected "a"'],
    ["/**/**", 4, 'a second "**"'],
    ["/{a=**}/{b=**}", 11, 'a second "**"'],
    ["/{a=**/**}", 7, 'a second "**"'],
    ["/{", 2, "expected a field name"],
    ["/{}", 2, "expected a field name"],
    ["/{=x}", 2, "expected a field name"],
    ["/{1a}", 2, "expected a field name"],
    ["/{.a}", 2, "expected a field name"],
    ["/{a.}", 3, 'expected "}"'],
    ["/{a..b}", 3, 'expected "}"'],
    ["/{a", 3, 'expected "}"'],
    ["/{a=", 4, "expected a segment"],
    ["/{a=}", 4, "expected a segment"],
    ["/{a=/x}", 4, "expected a segment"],
    ["/{a=x/}", 6, "expected a segment"],
    ["/{a=x", 5, 'expected "}"'],
    ["/{a=x:y}", 5, 'expected "}"'],
    ["/{a-b}", 3, 'expected "}"'],
    ["/{a b}", 3, 'expected "}"'],
    ["/{a={b}}", 4, "a variable inside a variable"],
    ["/{a=x/{b}}", 6, "a variable inside a variable"],
    ["/{a}b", 4, 'unexpected "b"'],
    ["/b{a}", 2, 'unexpected "{"'],
    ["/{a}{b}", 4, 'unexpected "{"'],
    ["/{a}}", 4, 'unexpected "}"'],
    ["/{a}/{a}", 6, 'the field "a" is bound twice'],
    ["/{a.b}/x/{a.b=y}", 10, 'the field "a.b" is bound twice'],
    ["/v1/a b", 5, 'unexpected " "'],
    ["/v1/ü", 4, "expected a segment"],
    ["/v1/a?b", 5, 'unexpected "?"'],
    ["/v1/a#b", 5, 'unexpected "#"'],
    ["/v1/a%", 5, 'unexpected "%"'],
    ["/v1/a%2", 5, 'unexpected "%"'],
    ["/v1/a%zz", 5, 'unexpected "%"'],
    ["/v1/a%FF", 4, "percent-encoding that is not UTF-8"],
    ["/v1\\x", 3, 'unexpected "\\"'],
    ['/v1"', 3, 'unexpected """'],
  ])("%s", (template, position, problem) => {
    let error: unknown;
    try {
      parsePathTemplate(template);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PathTemplateError);
    expect(error).toMatchObject({ template, position });
    expect(String(error)).toContain(problem);
  });
});

test("a variable whose pattern is one literal counts as one segment and is fully decoded", () => {
  expect(parsePathTemplate("/v1/{kind=books}").variables).toEqual([
    { fieldPath: "kind", start: 1, end: 2, multiSegment: false },
  ]);
});

test("a template of a hundred thousand characters is parsed", () => {
  expect(parsePathTemplate("/a".repeat(50_000)).segments).toHaveLength(50_000);
});
