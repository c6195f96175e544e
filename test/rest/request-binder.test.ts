import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";
import { BookSchema } from "./gen/bookshop/v1/bookshop_pb.ts";
import { unknownIn } from "./json-support.ts";

const shop = openBookshop();

describe("the path binds", () => {
  test.each([
    ["GET /v1/shelves/1/books/2", { name: "shelves/1/books/2" }],
    ["GET /v1/shelves/a%20b/books/c%2Fd", { name: "shelves/a b/books/c%2Fd" }],
  ])("%s", async (line, expected) => {
    expect((await call(shop, line)).json).toMatchObject(expected);
  });

  test.each([
    ["GET /v1/files/a/b/pages/7/html", { path: "a/b", page: 7, format: "html" }],
    ["GET /v1/files/pages/0/text", { path: "", page: 0, format: "text" }],
    ["GET /v1/files/a%2Fb/pages/4294967295/text", { path: "a%2Fb", page: 4294967295, format: "text" }],
  ])("%s", async (line, expected) => {
    expect((await call(shop, line)).json).toEqual({ request: expected });
  });

  test.each([
    ["GET /v1/files/a/pages/x/html", { page: "must be an integer" }],
    ["GET /v1/files/a/pages/-1/html", { page: "must be between 0 and 4294967295" }],
    ["GET /v1/files/a/pages/1/pdf", { format: "must be one of: text, html" }],
    [
      "GET /v1/files/%00/pages/x/pdf",
      {
        path: "must not contain the character U+0000",
        page: "must be an integer",
        format: "must be one of: text, html",
      },
    ],
    [
      "PURGE /v1/shelves/9223372036854775808",
      { shelf: "must be between -9223372036854775808 and 9223372036854775807" },
    ],
  ])("rejected: %s", async (line, fields) => {
    expect(await call(shop, line)).toMatchObject({ status: 422, json: { error: { fields } } });
  });

  test("a field that both bind: the path wins over the body", async () => {
    const moved = await call(shop, "POST /v1/shelves/1/books/2:move", { json: { name: "other", shelf: "3" } });
    expect(moved.json).toMatchObject({ name: "shelves/1/books/2@3" });
    const updated = await call(shop, "PUT /v1/shelves/1/books/2", { json: { name: "other", title: "T" } });
    expect(updated.json).toMatchObject({ name: "shelves/1/books/2", title: "T" });
  });
});

describe("the body binds", () => {
  test("one field, beside the path and the query", async () => {
    const { json } = await call(shop, "POST /v1/shelves/1/books?validate_only=true", {
      json: { title: "T", author: { name: "A" }, tags: ["x"] },
    });
    expect(json).toMatchObject({
      name: "shelves/1/books/new",
      title: "true T",
      author: { name: "A", birth_year: null },
      tags: ["x"],
    });
  });

  test("a list", async () => {
    const put = (json: unknown) => call(shop, "PUT /v1/shelves/1/books/2/tags", { json });
    expect(await put(["a", "b"])).toMatchObject({ status: 200, json: ["a", "b", "shelves/1/books/2"] });
    expect(await put([])).toMatchObject({ status: 200, json: ["shelves/1/books/2"] });
    expect(await put(null)).toMatchObject({ status: 200, json: ["shelves/1/books/2"] });
    expect(await put(["a", 1])).toMatchObject({
      status: 422,
      json: { error: { fields: { "tags[1]": "must be a string" } } },
    });
    expect(await put({})).toMatchObject({ status: 422, json: { error: { fields: { tags: "must be a list" } } } });
  });

  test("and violations inside the field have its name in their path", async () => {
    const text = '{"title":5,"author":{"name":"a","name":"b"},"nope":1,"stock_by_shop":{"x":"y"}}';
    const headers = { "content-type": "application/json" };
    const { json, status } = await call(shop, "POST /v1/shelves/1/books", { body: text, headers });
    expect(status).toBe(422);
    expect(json).toMatchObject({
      error: {
        fields: {
          "book.author.name": "must be given once",
          "book.title": "must be a string",
          "book.nope": unknownIn(BookSchema),
          "book.stock_by_shop.x": "must be an integer",
        },
      },
    });
  });

  test("no field if it is empty", async () => {
    expect(await call(shop, "POST /v1/shelves/1/books")).toMatchObject({
      status: 200,
      json: { title: "false undefined" },
    });
    expect(await call(shop, "POST /v1/books:search")).toMatchObject({ status: 200 });
  });
});
