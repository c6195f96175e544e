import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { call, explain, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";
const json = { "content-type": "application/json" };

const kindOf = (answer: { json: unknown }) => Object(answer.json).error?.kind;

describe("the request's body", () => {
  const move = `POST ${book}:move`;
  test.each([
    ["application/json", 200],
    ["application/json;charset=utf-8", 200],
    ['Application/JSON ; Charset="UTF-8"', 200],
    ["application/json; profile=x", 200],
    ["application/json; charset=latin1", 415],
    ["text/json", 415],
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["application/jsonp", 415],
    ["application/vnd.api+json", 415],
    ["", 415],
  ])("with the Content-Type %j is answered with %i", async (type, status) => {
    const answer = await call(shop, move, { body: "{}", headers: type === "" ? {} : { "content-type": type } });
    expect(answer.status).toBe(status);
    if (status === 415) {
      expect(kindOf(answer)).toBe("unsupported-media-type");
      expect(answer.headers.get("accept")).toBe("application/json");
    }
  });

  test.each([
    ["no JSON", "nope"],
    ["half of one", '{"shelf":'],
    ["two", "{}{}"],
    ["a comment", "{}//"],
    ["a trailing comma", '{"shelf":"1",}'],
    ["a single quote", "{'shelf':1}"],
    ["a control character", '{"shelf":"\n"}'],
    ["blank", "  "],
    ["a list", "[]"],
    ["a string", '"x"'],
    ["a number", "5"],
    ["null", "null"],
    ["two byte order marks", "\ufeff\ufeff{}"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["a surrogate in UTF-8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["101 levels", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`],
    ["ten thousand levels", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["thirty thousand levels, open", "[".repeat(30_000)],
  ])("is answered with 400: %s", async (_, body) => {
    const answer = await call(shop, move, { body, headers: json });
    expect(answer).toMatchObject({ status: 400, json: { error: { kind: "malformed-body" } } });
  });

  test("may be 100 levels deep", async () => {
    const attributes = `${'{"a":'.repeat(98)}1${"}".repeat(98)}`;
    const answer = await call(shop, `PUT ${book}`, { body: `{"attributes":${attributes}}`, headers: json });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(attributes);
  });

  test("may arrive in chunks that split a character", async () => {
    const bytes = Buffer.from('{"shelf":"ü📚"}');
    const body = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(await call(shop, move, { body, headers: json })).toMatchObject({ json: { name: "shelves/1/books/2@ü📚" } });
  });

  test("may be JSON that a framework has parsed already", async () => {
    const send = (body: object) =>
      shop.handle({
        httpVersion: "1.1",
        method: "POST",
        url: `${book}:move`,
        header: new Headers(),
        body: Object(body),
        signal: AbortSignal.any([]),
      });
    expect((await send({ shelf: "3" })).status).toBe(200);
    expect((await send({ shelf: 3 })).status).toBe(422);
    expect((await send([])).status).toBe(400);
    const deep: Record<string, unknown> = {};
    let inner = deep;
    for (let depth = 0; depth < 5000; depth += 1) {
      inner = inner.a = {};
    }
    expect((await send(deep)).status).toBe(400);
  });

  test("is limited in size, before and after decompression", async () => {
    const limited = openBookshop({ maxBodyBytes: 100 });
    const exact = JSON.stringify({ shelf: "x".repeat(100 - 12) });
    expect(exact).toHaveLength(100);
    expect((await call(limited, move, { body: exact, headers: json })).status).toBe(200);
    const tooLarge = [Buffer.from(exact), Buffer.from(" ")];
    expect(await call(limited, move, { body: tooLarge, headers: json })).toMatchObject({
      status: 413,
      json: { error: { kind: "payload-too-large", message: "The request body must not be larger than 100 bytes." } },
    });
  });

  test("is not read if Content-Length already exceeds the limit", async () => {
    let isRead = false;
    const response = await shop.handle({
      httpVersion: "1.1",
      method: "POST",
      url: `${book}:move`,
      header: new Headers({ ...json, "content-length": "65537" }),
      body: {
        [Symbol.asyncIterator]: () => ({
          next: () => {
            isRead = true;
            return Promise.resolve({ done: true, value: undefined });
          },
        }),
      },
      signal: AbortSignal.any([]),
    });
    expect(response.status).toBe(413);
    expect(isRead).toBe(false);
  });

  test("is 64 KiB at most by default", async () => {
    const body = (length: number) => JSON.stringify({ shelf: "x".repeat(length - 12) });
    expect((await call(shop, move, { body: body(65_536), headers: json })).status).toBe(200);
    expect((await call(shop, move, { body: body(65_537), headers: json })).status).toBe(413);
  });

  test("an empty object is accepted where the RPC takes no body", async () => {
    for (const body of ["{}", " {\r\n} ", "\ufeff{}"]) {
      const headers = { ...json, "content-length": String(Buffer.byteLength(body)) };
      expect(await call(shop, `DELETE ${book}`, { body, headers })).toMatchObject({ status: 200 });
      const bytes = gzipSync(body);
      const compressed = { "content-encoding": "gzip", "content-length": String(bytes.length) };
      expect(await call(shop, `DELETE ${book}`, { body: bytes, headers: compressed })).toMatchObject({ status: 200 });
    }
  });

  test("may begin with a byte order mark", async () => {
    const marked = await call(shop, move, { body: '\ufeff{"shelf":"1"}', headers: json });
    expect(marked).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@1" } });
  });

  test("is rejected where the RPC takes none", async () => {
    const refused = {
      status: 400,
      json: { error: { kind: "malformed-body", message: "This request takes no body." } },
    };
    const noJson = ["\ufeff\ufeff{}", "{}\ufeff", "\v{}", "{\u00a0}", "\u2028{}"];
    for (const body of ['{"a":1}', "[]", "null", "{}{}", `{}${" ".repeat(65_536)}`, ...noJson]) {
      const headers = { "content-length": String(Buffer.byteLength(body)) };
      expect(await call(shop, `DELETE ${book}`, { body, headers })).toMatchObject(refused);
    }
    const chunked = { "transfer-encoding": "chunked" };
    expect(
      await call(shop, `GET ${book}`, { body: [Buffer.alloc(0), Buffer.from("x")], headers: chunked }),
    ).toMatchObject(refused);
    expect(await call(shop, `GET ${book}`, { body: [Buffer.alloc(0)], headers: chunked })).toMatchObject({
      status: 200,
    });
    expect(await call(shop, `DELETE ${book}`, { headers: { ...json, "content-length": "0" } })).toMatchObject({
      status: 200,
    });
  });

  test("is rejected where the RPC takes none over HTTP/2 too, without Content-Length", async () => {
    const send = (method: string, ...chunks: string[]) =>
      shop.handle({
        httpVersion: "2.0",
        method,
        url: book,
        header: new Headers(),
        body: (async function* () {
          yield* chunks.map((chunk) => Buffer.from(chunk));
        })(),
        signal: AbortSignal.any([]),
      });
    expect((await send("DELETE", "", '{"a":1}')).status).toBe(400);
    expect((await send("DELETE", "", "{", "}")).status).toBe(200);
    expect((await send("DELETE", "")).status).toBe(200);
    expect((await send("DELETE")).status).toBe(200);
    // The content of a GET means nothing (RFC 9110 §9.3.1), and is not waited for.
    expect((await send("GET", "{}")).status).toBe(200);
  });

  test("an error of the request stream is passed to errorResponse", async () => {
    const seen: unknown[] = [];
    const gateway = openBookshop({
      errorResponse: (error, context) => {
        seen.push(error);
        return explain(error, context);
      },
    });
    const response = await gateway.handle({
      httpVersion: "1.1",
      method: "POST",
      url: `${book}:move`,
      header: new Headers(json),
      body: {
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("ECONNRESET")) }),
      },
      signal: AbortSignal.any([]),
    });
    expect(response.status).toBe(500);
    expect(String(seen[0])).toContain("ECONNRESET");
  });
});
