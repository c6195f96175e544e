import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";

const kindOf = (answer: { json: unknown }) => Object(answer.json).error?.kind;

describe("Content-Type", () => {
  test.each([
    ["application/json", 200],
    ["Application/JSON", 200],
    ["application/json;charset=utf-8", 200],
    ['application/json ; Charset="UTF-8"', 200],
    ["application/json\t;\tcharset=utf8", 200],
    ['application/json; charset="utf\\-8"', 200],
    ["application/json;", 200],
    ["application/json; ;charset=utf-8;", 200],
    ["application/json; version=1; charset=utf-8", 200],
    ['application/json; about="a;charset=utf-16, \\"b"', 200],
    ["application/json; charset=utf-16", 415],
    ["application/json; charset=utf-8; charset=utf-16", 415],
    ["application/json; charset", 415],
    ['application/json; charset="utf-8', 415],
    ["application/json charset=utf-8", 415],
    ["application/json, application/json", 415],
    ["application /json", 415],
    ["json", 415],
  ])("%j is answered with %i", async (type, status) => {
    const answer = await call(shop, `POST ${book}:move`, { headers: { "content-type": type }, body: '{"shelf":"3"}' });
    expect(answer.status).toBe(status);
  });

  test("a header of sixteen thousand characters is parsed quickly", async () => {
    for (const part of [";", ";a=", ';a="\\"', "; ", ";a=b;"]) {
      const headers = { "content-type": `application/json${part.repeat(16_000 / part.length)}x ` };
      const startedAtMs = performance.now();
      await call(shop, `POST ${book}:move`, { headers, body: "{}" });
      expect(performance.now() - startedAtMs).toBeLessThan(500);
    }
  });
});

describe("Accept", () => {
  test.each([
    [undefined, 200],
    ["", 200],
    ["*/*", 200],
    ["application/json", 200],
    ["application/*", 200],
    ["APPLICATION/JSON", 200],
    ["application/json;charset=utf-8", 200],
    ["text/html, application/json;q=0.1", 200],
    ["text/html, */*;q=0.1", 200],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", 200],
    ["application/json;q=0", 406],
    ["application/json;q=0, */*", 406],
    ["application/*;q=0, */*;q=1", 406],
    ["*/*;q=0", 406],
    ["text/html", 406],
    ["application/xml, text/*", 406],
    ["application/jsonx", 406],
  ])("%j is answered with %i", async (accept, status) => {
    const answer = await call(shop, `GET ${book}`, { headers: accept === undefined ? {} : { accept } });
    expect(answer.status).toBe(status);
    expect(status === 406 ? kindOf(answer) : "not-acceptable").toBe("not-acceptable");
  });
});
