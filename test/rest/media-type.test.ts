import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";

const kindOf = (answer: { json: unknown }) => Object(answer.json).error?.kind;

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
  ])("%j is %i", async (accept, status) => {
    const answer = await call(shop, `GET ${book}`, { headers: accept === undefined ? {} : { accept } });
    expect(answer.status).toBe(status);
    expect(status === 406 ? kindOf(answer) : "not-acceptable").toBe("not-acceptable");
  });
});
