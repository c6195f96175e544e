import { describe, expect, test } from "vitest";
import { PathTemplateError } from "../../src/rest/path-template.ts";
import { buildRouteTrie, RouteConflictError } from "../../src/rest/route-trie.ts";

function routesOf(...declared: string[]) {
  return buildRouteTrie(
    declared.map((line) => {
      const [method = "", template = ""] = line.split(" ");
      return { method, template, target: line };
    }),
  );
}

/** What a request leads to, in short: the declaration and its variables, the methods, or nothing. */
function lead(declared: readonly string[], request: string): string {
  const [method = "", ...path] = request.split(" ");
  const matched = routesOf(...declared).match(method, path.join(" "));
  switch (matched.kind) {
    case "match":
      return [matched.target, ...matched.variables.map(([name, value]) => `${name}=${value}`)].join(" | ");
    case "wrong-method":
      return `allow ${matched.allow.join(", ")}`;
    case "no-match":
      return "nothing";
  }
}

describe("a path is matched segment by segment", () => {
  test.each([
    ["GET /", "GET /", "GET /"],
    ["GET /", "GET /x", "nothing"],
    ["GET /v1", "GET /v1", "GET /v1"],
    ["GET /v1", "GET /v1/", "nothing"],
    ["GET /v1", "GET //v1", "nothing"],
    ["GET /v1", "GET /V1", "nothing"],
    ["GET /v1", "GET /v1/x", "nothing"],
    ["GET /v1", "GET v1", "nothing"],
    ["GET /v1", "GET *", "nothing"],
    ["GET /v1/books", "GET /v1/books", "GET /v1/books"],
    ["GET /v1/books", "GET /v1", "nothing"],
    ["GET /v1/*", "GET /v1/a", "GET /v1/*"],
    ["GET /v1/*", "GET /v1", "nothing"],
    ["GET /v1/*", "GET /v1/", "nothing"],
    ["GET /v1/*", "GET /v1/a/b", "nothing"],
    ["GET /v1/{id}", "GET /v1/a", "GET /v1/{id} | id=a"],
    ["GET /v1/{id}", "GET /v1/", "nothing"],
    ["GET /v1/{id}/x", "GET /v1//x", "nothing"],
    ["GET /v1/{id}", "GET /v1/a.b-c_d~e", "GET /v1/{id} | id=a.b-c_d~e"],
    ["GET /v1/{id}", "GET /v1/a:b", "GET /v1/{id} | id=a:b"],
    ["GET /v1/{id}", "GET /v1/:", "GET /v1/{id} | id=:"],
    ["GET /v1/{a}/{b}", "GET /v1/x/y", "GET /v1/{a}/{b} | a=x | b=y"],
    ["GET /v1/{name=books/*}", "GET /v1/books/7", "GET /v1/{name=books/*} | name=books/7"],
    ["GET /v1/{name=books/*}", "GET /v1/shelves/7", "nothing"],
    ["GET /v1/{a.b=x/*/y}/z", "GET /v1/x/1/y/z", "GET /v1/{a.b=x/*/y}/z | a.b=x/1/y"],
    ["GET /v1/**", "GET /v1", "GET /v1/**"],
    ["GET /v1/**", "GET /v1/", "GET /v1/**"],
    ["GET /v1/**", "GET /v1/a/b/c", "GET /v1/**"],
    ["GET /v1/{path=**}", "GET /v1", "GET /v1/{path=**} | path="],
    ["GET /v1/{path=**}", "GET /v1/a", "GET /v1/{path=**} | path=a"],
    ["GET /v1/books", "GET /v1/books:", "nothing"],
    ["GET /v1/{path=**}", "GET /v1/a/b", "GET /v1/{path=**} | path=a/b"],
    ["GET /v1/{path=**}", "GET /v1/a//b/", "GET /v1/{path=**} | path=a//b/"],
    ["GET /{path=**}", "GET /", "GET /{path=**} | path="],
    ["GET /v1/{path=**}/end", "GET /v1/end", "GET /v1/{path=**}/end | path="],
    ["GET /v1/{path=**}/end", "GET /v1/a/b/end", "GET /v1/{path=**}/end | path=a/b"],
    ["GET /v1/{path=**}/end", "GET /v1/end/end", "GET /v1/{path=**}/end | path=end"],
    ["GET /v1/{path=**}/end", "GET /v1/a/b", "nothing"],
    ["GET /v1/{path=**}/end/{n}", "GET /v1/a/end/2", "GET /v1/{path=**}/end/{n} | path=a | n=2"],
    ["GET /v1/{path=**}/end/{n}", "GET /v1/end/2", "GET /v1/{path=**}/end/{n} | path= | n=2"],
    ["GET /v1/{path=**}/end/{n}", "GET /v1/2", "nothing"],
    ["GET /{a}/{path=**}/{z}", "GET /1/2/3/4", "GET /{a}/{path=**}/{z} | a=1 | path=2/3 | z=4"],
    ["GET /{a}/{path=**}/{z}", "GET /1/2", "GET /{a}/{path=**}/{z} | a=1 | path= | z=2"],
    ["GET /{a}/{path=**}/{z}", "GET /1", "nothing"],
    ["GET /v1/{n=x/**}/y", "GET /v1/x/a/b/y", "GET /v1/{n=x/**}/y | n=x/a/b"],
    ["GET /v1/{n=x/**/y}/{m}", "GET /v1/x/a/b/y/c", "GET /v1/{n=x/**/y}/{m} | n=x/a/b/y | m=c"],
  ])("%s gets %s", (declared, request, expected) => {
    expect(lead([declared], request)).toBe(expected);
  });
});

describe("a verb is what follows the last colon of the last segment", () => {
  const declared = ["POST /v1/{id}:cancel", "POST /v1/{id}", "GET /v1/books:export", "POST /v1/{name=b/**}:walk"];
  test.each([
    ["POST /v1/7:cancel", "POST /v1/{id}:cancel | id=7"],
    ["POST /v1/7", "POST /v1/{id} | id=7"],
    ["POST /v1/7:other", "POST /v1/{id} | id=7:other"],
    ["POST /v1/7:a:cancel", "POST /v1/{id}:cancel | id=7:a"],
    ["POST /v1/7%3Acancel", "POST /v1/{id} | id=7:cancel"],
    ["POST /v1/7:%63ancel", "POST /v1/{id}:cancel | id=7"],
    ["POST /v1/:cancel", "POST /v1/{id} | id=:cancel"],
    ["POST /v1/7:cancel/", "nothing"],
    ["POST /v1/7:", "POST /v1/{id} | id=7:"],
    ["POST /v1/books:export:", "POST /v1/{id} | id=books:export:"],
    ["POST /v1:cancel/7", "nothing"],
    ["GET /v1/books:export", "GET /v1/books:export"],
    ["POST /v1/books:export", "allow GET"],
    ["GET /v1/books", "allow POST"],
    ["GET /v1/7:cancel", "allow POST"],
    ["POST /v1/b/x/y:walk", "POST /v1/{name=b/**}:walk | name=b/x/y"],
    ["POST /v1/b/x/y", "nothing"],
    ["POST /v1/b:walk", "POST /v1/{name=b/**}:walk | name=b"],
  ])("%s", (request, expected) => {
    expect(lead(declared, request)).toBe(expected);
  });
});

describe("literals are preferred to *, and * to **, whatever the order of declaration", () => {
  const declared = [
    "GET /a/**",
    "GET /a/*/c",
    "GET /a/b/*",
    "GET /a/b/c",
    "GET /a/*/*",
    "GET /a/**/z",
    "GET /a/**/y/z",
    "GET /a/**/*/w",
    "GET /**",
  ];
  const requests: [string, string][] = [
    ["GET /a/b/c", "GET /a/b/c"],
    ["GET /a/b/x", "GET /a/b/*"],
    ["GET /a/x/c", "GET /a/*/c"],
    ["GET /a/x/y", "GET /a/*/*"],
    ["GET /a/b/z", "GET /a/b/*"],
    ["GET /a", "GET /a/**"],
    ["GET /a/1/2/3", "GET /a/**"],
    ["GET /a/1/2/z", "GET /a/**/z"],
    ["GET /a/1/y/z", "GET /a/**/y/z"],
    ["GET /a/1/2/w", "GET /a/**/*/w"],
    ["GET /a/z", "GET /a/**/z"],
    ["GET /b", "GET /**"],
    ["GET /", "GET /**"],
    ["GET /a/b", "GET /a/**"],
    ["GET /a/b/c/d", "GET /a/**"],
  ];
  for (const [request, expected] of requests) {
    test(request, () => {
      expect(lead(declared, request)).toBe(expected);
      expect(lead(declared.toReversed(), request)).toBe(expected);
      expect(lead([...declared.slice(4), ...declared.slice(0, 4)], request)).toBe(expected);
    });
  }
});

describe("matching backtracks from a preferred branch without a match", () => {
  test.each([
    [["GET /a/b/c", "GET /*/b/d"], "GET /a/b/d", "GET /*/b/d"],
    [["GET /a/{x}/c", "GET /{y}/b/d"], "GET /a/b/d", "GET /{y}/b/d | y=a"],
    [["GET /a/*/c", "GET /a/**"], "GET /a/b/d", "GET /a/**"],
    [["GET /a/b/**/q", "GET /a/*/c"], "GET /a/b/c", "GET /a/*/c"],
    [["GET /a/{p=**}/q", "GET /**/r"], "GET /a/b/r", "GET /**/r"],
  ])("%j gets %s", (declared, request, expected) => {
    expect(lead(declared, request)).toBe(expected);
  });
});

describe("the methods of a path", () => {
  test.each([
    [["GET /a", "POST /a"], "PUT /a", "allow GET, POST"],
    [["POST /a", "DELETE /a", "GET /a"], "PUT /a", "allow DELETE, GET, POST"],
    [["POST /verify/start", "GET /verify/{id}"], "GET /verify/start", "allow POST"],
    [["POST /verify/start", "GET /verify/{id}"], "GET /verify/stop", "GET /verify/{id} | id=stop"],
    [["POST /verify/start", "GET /verify/**"], "GET /verify/start", "allow POST"],
    [["POST /{a}/x", "GET /b/{c}"], "POST /b/x", "POST /{a}/x | a=b"],
    [["POST /{a}/x", "GET /b/{c}"], "GET /b/x", "GET /b/{c} | c=x"],
    [["POST /{a}/x", "GET /b/{c}"], "PUT /b/x", "allow GET, POST"],
    [["POST /{a}", "GET /{b}"], "GET /x", "GET /{b} | b=x"],
    [["POST /{a}", "GET /{b}"], "PUT /x", "allow GET, POST"],
    [["POST /a/*", "GET /a/**"], "GET /a/b", "GET /a/**"],
    [["* /a"], "BREW /a", "* /a"],
    [["* /a", "GET /a"], "GET /a", "GET /a"],
    [["* /a", "GET /a"], "POST /a", "* /a"],
    [["PURGE /a"], "purge /a", "allow PURGE"],
    [["GET /a"], "get /a", "allow GET"],
    [["GET /a"], "HEAD /a", "allow GET"],
    [["GET /a"], "OPTIONS /a", "allow GET"],
    [["GET /a/{x}:v", "POST /a/{x}"], "PUT /a/b:v", "allow GET, POST"],
    [["GET /a:v", "POST /a/{x}", "POST /{y}"], "POST /a:v", "allow GET"],
  ])("%j gets %s", (declared, request, expected) => {
    expect(lead(declared, request)).toBe(expected);
  });
});

describe("percent-encoding", () => {
  test.each([
    ["GET /v1/{id}", "GET /v1/a%20b", "GET /v1/{id} | id=a b"],
    ["GET /v1/{id}", "GET /v1/a%2Fb", "GET /v1/{id} | id=a/b"],
    ["GET /v1/{id}", "GET /v1/a%2fb", "GET /v1/{id} | id=a/b"],
    ["GET /v1/{id}", "GET /v1/%C3%BC", "GET /v1/{id} | id=ü"],
    ["GET /v1/{id}", "GET /v1/%F0%9F%93%9A", "GET /v1/{id} | id=📚"],
    ["GET /v1/{id}", "GET /v1/a+b", "GET /v1/{id} | id=a+b"],
    ["GET /v1/{id}", "GET /v1/%25", "GET /v1/{id} | id=%"],
    ["GET /v1/{id}", "GET /v1/%2525", "GET /v1/{id} | id=%25"],
    ["GET /v1/{id}", "GET /v1/%00", "GET /v1/{id} | id=\0"],
    ["GET /v1/{id}", "GET /v1/%", "nothing"],
    ["GET /v1/{id}", "GET /v1/%zz", "nothing"],
    ["GET /v1/{id}", "GET /v1/%f", "nothing"],
    ["GET /v1/{id}", "GET /v1/%FF", "nothing"],
    ["GET /v1/{id}", "GET /v1/%C3", "nothing"],
    ["GET /v1/{id}", "GET /v1/%ED%A0%80", "nothing"],
    ["GET /v1/**", "GET /v1/x/%", "nothing"],
    ["GET /v1/{p=**}", "GET /v1/a%2Fb/c", "GET /v1/{p=**} | p=a%2Fb/c"],
    ["GET /v1/{p=**}", "GET /v1/a%2fb%20c", "GET /v1/{p=**} | p=a%2fb c"],
    ["GET /v1/{p=**}", "GET /v1/a%252Fb", "GET /v1/{p=**} | p=a%2Fb"],
    ["GET /v1/{p=**}", "GET /v1/%2F", "GET /v1/{p=**} | p=%2F"],
    ["GET /v1/{p=b/*}", "GET /v1/b/x%2Fy%3A", "GET /v1/{p=b/*} | p=b/x%2Fy:"],
    ["GET /v1/{p=b}", "GET /v1/%62", "GET /v1/{p=b} | p=b"],
    ["GET /v1/books", "GET /v1/%62ooks", "GET /v1/books"],
    ["GET /v1/books", "GET /%76%31/books", "GET /v1/books"],
    ["GET /v1/books", "GET /v1%2Fbooks", "nothing"],
    ["GET /v1/a%20b", "GET /v1/a%20b", "GET /v1/a%20b"],
    ["GET /v1/ü", "GET /v1/%C3%BC", "refused"],
    ["GET /v1/%C3%BC", "GET /v1/%c3%bc", "GET /v1/%C3%BC"],
    ["GET /v1/a%2Fb", "GET /v1/a%2Fb", "GET /v1/a%2Fb"],
    ["GET /v1/a%2Fb", "GET /v1/a/b", "nothing"],
  ])("%s gets %s", (declared, request, expected) => {
    if (expected === "refused") {
      expect(() => lead([declared], request)).toThrow(PathTemplateError);
    } else {
      expect(lead([declared], request)).toBe(expected);
    }
  });
});

describe("two routes that match the same requests are rejected when the trie is built", () => {
  test.each([
    ["GET /a", "GET /a"],
    ["GET /a/{x}", "GET /a/{y}"],
    ["GET /a/{x}", "GET /a/*"],
    ["GET /a/{x=*}/{y}", "GET /a/*/{z}"],
    ["GET /{x=a/*}", "GET /a/{y}"],
    ["GET /a/**", "GET /a/{p=**}"],
    ["GET /a/**/b/*", "GET /a/{p=**}/b/{q}"],
    ["GET /a:v", "GET /a:v"],
    ["GET /a%20b", "GET /%61%20b"],
    ["* /a", "* /a"],
  ])("%s, %s", (first, second) => {
    expect(() => routesOf(first, second)).toThrow(RouteConflictError);
    expect(() => routesOf(first, second)).toThrow(`${second} is the same route as ${first}`);
  });

  test.each([
    ["GET /a", "POST /a"],
    ["GET /a", "GET /a:v"],
    ["GET /a/*", "GET /a/**"],
    ["GET /a/{x}/b", "GET /a/b/{x}"],
    ["GET /a/**/b", "GET /a/**/c"],
    ["* /a", "GET /a"],
  ])("accepted: %s, %s", (first, second) => {
    expect(() => routesOf(first, second)).not.toThrow();
  });

  test("all conflicts are reported in one error", () => {
    const build = () => routesOf("GET /a", "GET /a", "GET /b/{x}", "GET /b/{y}", "GET /c");
    expect(build).toThrow("GET /a is the same route as GET /a\nGET /b/{y} is the same route as GET /b/{x}");
  });
});

test("names of Object.prototype are ordinary segments", () => {
  const declared = ["GET /__proto__/{x}", "GET /constructor", "GET /{y}/toString"];
  expect(lead(declared, "GET /__proto__/1")).toBe("GET /__proto__/{x} | x=1");
  expect(lead(declared, "GET /constructor")).toBe("GET /constructor");
  expect(lead(declared, "GET /hasOwnProperty/toString")).toBe("GET /{y}/toString | y=hasOwnProperty");
  expect(lead(declared, "constructor /constructor")).toBe("allow GET");
  expect(lead(declared, "GET /valueOf")).toBe("nothing");
});

test("the time to match does not multiply with templates that overlap at every level", () => {
  // 2^12 templates; a path that fits none at its end visits each node of the trie once at most.
  const declared = Array.from({ length: 4096 }, (_, number) => {
    const segments = Array.from({ length: 12 }, (_, bit) => ((number >> bit) & 1 ? "a" : "*"));
    return `GET /${segments.join("/")}/end`;
  });
  const routes = routesOf(...declared);
  expect(routes.match("GET", `${"/a".repeat(12)}/end`)).toMatchObject({ kind: "match", target: declared.at(-1) });
  expect(routes.match("GET", `${"/a".repeat(12)}/other`)).toEqual({ kind: "no-match" });
});
