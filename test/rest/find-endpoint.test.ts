import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";

const kindOf = (answer: { json: unknown }) => Object(answer.json).error?.kind;

describe("paths and methods", () => {
  test.each([
    ["GET /", 404],
    ["GET /v1", 404],
    ["GET /v2/books", 404],
    ["GET /v1/books/", 404],
    ["POST /v1/shelves/1/books/2:burn", 405],
    ["GET /v1/shelves//books/2", 404],
    ["OPTIONS /nowhere", 404],
    ["HEAD /nowhere", 404],
    ["GET *", 404],
  ])("%s is answered with %i", async (line, status) => {
    expect((await call(shop, line)).status).toBe(status);
  });

  test.each([
    [`POST ${book}`, "DELETE, GET, HEAD, PATCH, PUT"],
    ["DELETE /v1/books", "GET, HEAD"],
    ["GET /v1/books:search", "POST"],
    ["HEAD /v1/books:search", "POST"],
    ["BREW /v1/shelves/1", "PURGE"],
    [`POST ${book}/cover`, "GET, HEAD, PUT"],
  ])("%s is 405 and allows %s", async (line, allow) => {
    const answer = await call(shop, line);
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
    expect(answer.text === "" || kindOf(answer) === "method-not-allowed").toBe(true);
  });

  test("OPTIONS lists the methods of a path, and calls nothing", async () => {
    const answer = await call(
      openBookshop({ requestGate: () => Promise.reject(new Error("not called")) }),
      `OPTIONS ${book}`,
    );
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.headers.get("allow")).toBe("DELETE, GET, HEAD, PATCH, PUT");
  });

  test("HEAD has the headers of GET, and no body", async () => {
    const get = await call(shop, `GET ${book}`);
    const head = await call(shop, `HEAD ${book}`);
    expect(head).toMatchObject({ status: 200, text: "" });
    expect([...head.headers]).toEqual([...get.headers]);
    expect(head.headers.get("content-length")).toBe(String(get.bytes.length));
    const refused = await call(shop, "HEAD /v1/books?nope=1");
    expect(refused).toMatchObject({ status: 422, text: "" });
  });

  test("a path that is not percent-encoded UTF-8 is 400", async () => {
    for (const path of ["/v1/%", "/v1/shelves/%zz/books/1", "/%ff"]) {
      expect(await call(shop, `GET ${path}`)).toMatchObject({
        status: 400,
        json: { error: { kind: "malformed-target" } },
      });
    }
  });

  test("a custom method is served", async () => {
    expect(await call(shop, "PURGE /v1/shelves/7?force=true")).toMatchObject({ status: 200, text: "{}" });
  });

  test("URLs may be absolute or paths, with a fragment or without", async () => {
    const send = (url: string) =>
      shop.handle({
        httpVersion: "2.0",
        method: "GET",
        url,
        header: new Headers(),
        body: {},
        signal: AbortSignal.any([]),
      });
    expect((await send(`${book}?`)).status).toBe(200);
    expect((await send(`https://a.example${book}#top`)).status).toBe(200);
    expect((await send("https://a.example")).status).toBe(404);
    expect((await send("https://a.example?x=/v1/books")).status).toBe(404);
    expect((await send("")).status).toBe(404);
  });
});
