import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";
const json = { "content-type": "application/json" };

/** A shop whose book has a title of the given length. */
const titled = (length: number) => openBookshop({}, { getBook: () => ({ title: "x".repeat(length) }) });

describe("compressed requests", () => {
  const send = (body: Uint8Array, encoding: string, gateway = shop) =>
    call(gateway, `POST ${book}:move`, { body, headers: { ...json, "content-encoding": encoding } });

  test("gzip and br request bodies are decompressed", async () => {
    const body = gzipSync('{"shelf":"3"}');
    expect(await send(body, "gzip")).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@3" } });
    for (const name of [" GZIP ", "x-gzip", "X-GZip", "gzip,", ", gzip", "identity, gzip"]) {
      expect(await send(body, name)).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@3" } });
    }
    for (const name of ["br", "BR"]) {
      const answer = await send(brotliCompressSync('{"shelf":"3"}'), name);
      expect(answer).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@3" } });
    }
    for (const name of ["", ",", "Identity", "identity, identity"]) {
      expect(await send(Buffer.from('{"shelf":"3"}'), name)).toMatchObject({ status: 200 });
    }
    expect(await send(Buffer.from('{"shelf":"3"}'), "identity")).toMatchObject({ status: 200 });
    expect(await send(Buffer.alloc(0), "gzip")).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@" } });
    expect(await send(gzipSync(""), "gzip")).toMatchObject({ status: 200 });
  });

  const codings = [
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ] as const;

  test.each(codings)("the size limit applies after decompression too: %s", async (name, compress) => {
    const bomb = compress(JSON.stringify({ shelf: "x".repeat(10_000_000) }));
    expect(bomb.length).toBeLessThan(65_536);
    expect(await send(bomb, name)).toMatchObject({ status: 413, json: { error: { kind: "payload-too-large" } } });
    const exact = compress(JSON.stringify({ shelf: "x".repeat(65_536 - 12) }));
    expect((await send(exact, name)).status).toBe(200);
  });

  test.each(codings)("a body that is not what Content-Encoding says is 400: %s", async (name, compress) => {
    const whole = compress('{"shelf":"3"}');
    for (const body of [Buffer.from("{}"), whole.subarray(0, 12), whole.subarray(0, -1), Buffer.from([0x1f])]) {
      expect(await send(body, name)).toMatchObject({ status: 400, json: { error: { kind: "malformed-body" } } });
    }
  });

  test("another encoding, or several, is 415 with the accepted ones in Accept-Encoding", async () => {
    for (const encoding of ["deflate", "zstd", "gzip, gzip", "br, gzip", "gzip br", "gzip;q=1", "x"]) {
      const answer = await send(Buffer.from("{}"), encoding);
      expect(answer).toMatchObject({ status: 415, json: { error: { kind: "unsupported-media-type" } } });
      expect(answer.headers.get("accept-encoding")).toBe("gzip, br");
    }
  });

  test("a 415 for the media type has no Accept-Encoding", async () => {
    const headers = { "content-type": "text/plain", "content-encoding": "gzip" };
    const answer = await call(shop, `POST ${book}:move`, { headers, body: gzipSync("x") });
    expect([answer.status, answer.headers.get("accept-encoding")]).toEqual([415, null]);
  });
});

describe("compressed responses", () => {
  test.each([
    ["gzip", "gzip"],
    ["gzip, deflate, br, zstd", "br"],
    ["br;q=0.5, gzip;q=0.8", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["GZIP;Q=1", "gzip"],
    ["*", "br"],
    ["*;q=0, gzip", "gzip"],
    ["br;q=0, *", "gzip"],
    ["identity", null],
    ["deflate", null],
    ["gzip;q=0", null],
    ["*;q=0", null],
    ["", null],
  ])("Accept-Encoding: %s is answered in %s", async (accepted, encoding) => {
    const answer = await call(titled(5000), `GET ${book}`, { headers: { "accept-encoding": accepted } });
    expect(answer.headers.get("content-encoding")).toBe(encoding);
    expect(answer.headers.get("vary")).toBe("accept-encoding");
    expect(answer.headers.get("content-length")).toBe(String(answer.bytes.length));
    const plain =
      encoding === "br"
        ? brotliDecompressSync(answer.bytes)
        : encoding === "gzip"
          ? gunzipSync(answer.bytes)
          : answer.bytes;
    expect(JSON.parse(plain.toString()).title).toHaveLength(5000);
  });

  test("responses of up to 1 KiB are not compressed", async () => {
    const base = (await call(titled(0), `GET ${book}`)).bytes.length;
    const headers = { "accept-encoding": "gzip" };
    const exact = await call(titled(1024 - base), `GET ${book}`, { headers });
    expect(exact.bytes).toHaveLength(1024);
    expect(exact.headers.has("content-encoding")).toBe(false);
    expect(exact.headers.has("vary")).toBe(false);
    const larger = await call(titled(1025 - base), `GET ${book}`, { headers });
    expect(larger.headers.get("content-encoding")).toBe("gzip");
  });

  test("a response that the handler compressed is not compressed again", async () => {
    const gateway = openBookshop(
      {},
      {
        getBook: (_, context) => {
          context.responseHeader.set("content-encoding", "x-own");
          return { title: "x".repeat(5000) };
        },
      },
    );
    const answer = await call(gateway, `GET ${book}`, { headers: { "accept-encoding": "gzip" } });
    expect(answer.headers.get("content-encoding")).toBe("x-own");
    expect(answer.bytes.length).toBeGreaterThan(5000);
  });

  test("HEAD has the headers of GET, Content-Encoding included", async () => {
    const headers = { "accept-encoding": "br" };
    const head = await call(titled(5000), `HEAD ${book}`, { headers });
    const get = await call(titled(5000), `GET ${book}`, { headers });
    expect([...head.headers]).toEqual([...get.headers]);
    expect(head.bytes).toHaveLength(0);
  });
});
