import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";

describe("ETag", () => {
  test("GETs of RPCs without side effects have one, which changes with the content", async () => {
    const first = await call(shop, `GET ${book}`);
    const again = await call(shop, `GET ${book}`);
    const other = await call(shop, "GET /v1/shelves/1/books/3");
    expect(first.headers.get("etag")).toMatch(/^W\/"[\w-]{27}"$/);
    expect(again.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(other.headers.get("etag")).not.toBe(first.headers.get("etag"));
    expect((await call(shop, `PUT ${book}`, { json: {} })).headers.has("etag")).toBe(false);
    expect((await call(shop, "GET /v1/files/a/pages/1/html")).headers.has("etag")).toBe(false);
    expect((await call(shop, "GET /v1/books?nope=1")).headers.has("etag")).toBe(false);
  });

  test("If-None-Match with the current tag is answered with 304", async () => {
    const tag = (await call(shop, `GET ${book}`)).headers.get("etag") ?? "";
    for (const known of [tag, tag.slice(2), "*", `"x", ${tag}`, `${tag},"y"`]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await call(shop, `${method} ${book}`, { headers: { "if-none-match": known } });
        expect(answer).toMatchObject({ status: 304, text: "" });
        expect(answer.headers.get("etag")).toBe(tag);
      }
    }
    for (const unknown of ['"x"', "W/x", "", tag.slice(0, -1)]) {
      expect((await call(shop, `GET ${book}`, { headers: { "if-none-match": unknown } })).status).toBe(200);
    }
  });

  test("a tag that the handler sets is kept", async () => {
    const gateway = openBookshop(
      {},
      {
        getBook: (_, context) => {
          context.responseHeader.set("etag", '"v7"');
          return {};
        },
      },
    );
    expect((await call(gateway, `GET ${book}`)).headers.get("etag")).toBe('"v7"');
    expect((await call(gateway, `GET ${book}`, { headers: { "if-none-match": '"v7"' } })).status).toBe(304);
  });

  test("a compressible response has Vary: accept-encoding, and so has its 304", async () => {
    const gateway = openBookshop({}, { getBook: () => ({ title: "x".repeat(5000) }) });
    for (const headers of [{}, { "if-none-match": "*" }, { "if-none-match": "*", "accept-encoding": "gzip" }]) {
      const answer = await call(gateway, `GET ${book}`, { headers });
      expect(answer.status).toBe("if-none-match" in headers ? 304 : 200);
      expect(answer.headers.get("vary")).toBe("accept-encoding");
    }
  });
});
