import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";

describe("google.api.HttpBody", () => {
  const bytes = Buffer.from([0, 255, 1, 254]);

  test("requests and responses are bytes of any media type", async () => {
    const answer = await call(shop, `PUT ${book}/cover`, { body: bytes, headers: { "content-type": "image/webp" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("image/webp");
    expect(answer.bytes).toEqual(bytes);
  });

  test("it may be the whole request message", async () => {
    const answer = await call(shop, "POST /v1/books:import", { body: bytes, headers: { "content-type": "text/csv" } });
    expect(answer.json).toEqual({ content_type: "text/csv", size: "4" });
    expect((await call(shop, "POST /v1/books:import", { body: bytes })).json).toEqual({ content_type: "", size: "4" });
    expect((await call(shop, "POST /v1/books:import")).json).toEqual({ content_type: "", size: "0" });
    const zipped = { "content-type": "text/csv", "content-encoding": "gzip" };
    const answered = await call(shop, "POST /v1/books:import", { body: gzipSync("a,b"), headers: zipped });
    expect(answered.json).toEqual({ content_type: "text/csv", size: "3" });
  });

  test("the response has the content_type of the message, whatever Accept says", async () => {
    const answer = await call(shop, `GET ${book}/cover`, { headers: { accept: "image/*" } });
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.text).toBe("cover of shelves/1/books/2");
    const untyped = openBookshop({}, { putCover: () => ({ data: bytes }) });
    expect((await call(untyped, `GET ${book}/cover`)).headers.get("content-type")).toBe("application/octet-stream");
  });

  test("the size limit of request bodies applies", async () => {
    const answer = await call(shop, "POST /v1/books:import", { body: Buffer.alloc(65_537) });
    expect(answer.status).toBe(413);
  });
});
