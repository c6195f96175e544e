import { describe, expect, test } from "vitest";
import { protoJson, restJson } from "../../src/rest/json/json-style.ts";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();

describe("PATCH without an update mask gets one of the fields in its body", () => {
  const patch = async (json: unknown, query = "", style = restJson) => {
    const gateway = openBookshop({ json: style });
    const answer = await call(gateway, `PATCH /v1/shelves/1/books/2${query}`, { json });
    return Object(answer.json).subtitle;
  };
  test.each<[object, string]>([
    [{ title: "T" }, "title"],
    [{ title: "T", genre: "novel" }, "title|genre"],
    [{ genre: "novel", title: "T" }, "title|genre"],
    [{ subtitle: null }, "subtitle"],
    [{ author: { name: "A" } }, "author.name"],
    [{ author: { name: "A", birth_year: null } }, "author.name|author.birth_year"],
    [{ author: {} }, "author"],
    [{ author: null }, "author"],
    [{ tags: ["a"] }, "tags"],
    [{ translators: [{ name: "A" }] }, "translators"],
    [{ stock_by_shop: { x: "1" } }, "stock_by_shop"],
    [{ published_at: "2026-06-15T09:42:00Z" }, "published_at"],
    [{ attributes: { a: { b: 1 } } }, "attributes"],
    [{ price_on_request: { name: "A" } }, "price_on_request.name"],
    [{ name: "other", title: "T" }, "title"],
    [{}, ""],
  ])("%j", async (json, paths) => {
    expect(await patch(json)).toBe(`${paths} false`);
  });

  test("in ProtoJSON, by either name of a field", async () => {
    expect(await patch({ isbnDigest: "", stock_by_shop: {} }, "", protoJson)).toBe("stock_by_shop|isbn_digest false");
  });

  test("a mask in the request is kept", async () => {
    expect(await patch({ title: "T", genre: "novel" }, "?update_mask=title&allow_missing=true")).toBe("title true");
    expect(await patch({ title: "T" }, "?update_mask=")).toBe(" false");
  });

  test("PUT gets no mask", async () => {
    const answer = await call(shop, "PUT /v1/shelves/1/books/2", { json: { title: "T" } });
    expect(answer.json).toMatchObject({ subtitle: "undefined false" });
  });
});
