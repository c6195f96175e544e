import { brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
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

  test("are read", async () => {
    const body = gzipSync('{"shelf":"3"}');
    expect(await send(body, "gzip")).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@3" } });
    expect(await send(body, " GZIP ")).toMatchObject({ status: 200 });
    expect(await send(Buffer.from('{"shelf":"3"}'), "identity")).toMatchObject({ status: 200 });
    expect(await send(Buffer.alloc(0), "gzip")).toMatchObject({ status: 200, json: { name: "shelves/1/books/2@" } });
    expect(await send(gzipSync(""), "gzip")).toMatchObject({ status: 200 });
  });

  test("are limited to the same size after decompression", async () => {
    const bomb = gzipSync(JSON.stringify({ shelf: "x".repeat(10_000_000) }));
    expect(bomb.length).toBeLessThan(65_536);
    expect(await send(bomb, "gzip")).toMatchObject({ status: 413, json: { error: { kind: "payload-too-large" } } });
    const exact = gzipSync(JSON.stringify({ shelf: "x".repeat(65_536 - 12) }));
    expect((await send(exact, "gzip")).status).toBe(200);
  });

  test("that are broken are malformed", async () => {
    const whole = gzipSync('{"shelf":"3"}');
    for (const body of [Buffer.from("{}"), whole.subarray(0, 12), whole.subarray(0, -1), Buffer.from([0x1f])]) {
      expect(await send(body, "gzip")).toMatchObject({ status: 400, json: { error: { kind: "malformed-body" } } });
    }
  });

  test("in other encodings are refused, with the one that is taken", async () => {
    for (const encoding of ["br", "deflate", "zstd", "gzip, gzip", "x"]) {
      const answer = await send(Buffer.from("{}"), encoding);
      expect(answer).toMatchObject({ status: 415, json: { error: { kind: "unsupported-media-type" } } });
      expect(answer.headers.get("accept-encoding")).toBe("gzip");
    }
  });
});

describe("compressed answers", () => {
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
  ])("Accept-Encoding: %s gets %s", async (accepted, encoding) => {
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

  test("only if they are larger than 1 KiB", async () => {
    const base = (await call(titled(0), `GET ${book}`)).bytes.length;
    const headers = { "accept-encoding": "gzip" };
    const exact = await call(titled(1024 - base), `GET ${book}`, { headers });
    expect(exact.bytes).toHaveLength(1024);
    expect(exact.headers.has("content-encoding")).toBe(false);
    expect(exact.headers.has("vary")).toBe(false);
    const larger = await call(titled(1025 - base), `GET ${book}`, { headers });
    expect(larger.headers.get("content-encoding")).toBe("gzip");
  });

  test("and not if the handler did", async () => {
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

  test("HEAD has the same headers", async () => {
    const headers = { "accept-encoding": "br" };
    const head = await call(titled(5000), `HEAD ${book}`, { headers });
    const get = await call(titled(5000), `GET ${book}`, { headers });
    expect([...head.headers]).toEqual([...get.headers]);
    expect(head.bytes).toHaveLength(0);
  });
});

describe("ETag", () => {
  test("is on GETs of RPCs without side effects, and tells contents apart", async () => {
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

  test("that the client has already is answered with 304", async () => {
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

  test("of a handler is kept", async () => {
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
});

describe("google.api.HttpBody", () => {
  const bytes = Buffer.from([0, 255, 1, 254]);

  test("takes and answers bytes of any media type", async () => {
    const answer = await call(shop, `PUT ${book}/cover`, { body: bytes, headers: { "content-type": "image/webp" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("image/webp");
    expect(answer.bytes).toEqual(bytes);
  });

  test("may be the whole request", async () => {
    const answer = await call(shop, "POST /v1/books:import", { body: bytes, headers: { "content-type": "text/csv" } });
    expect(answer.json).toEqual({ content_type: "text/csv", size: "4" });
    expect((await call(shop, "POST /v1/books:import", { body: bytes })).json).toEqual({ content_type: "", size: "4" });
    expect((await call(shop, "POST /v1/books:import")).json).toEqual({ content_type: "", size: "0" });
    const zipped = { "content-type": "text/csv", "content-encoding": "gzip" };
    const answered = await call(shop, "POST /v1/books:import", { body: gzipSync("a,b"), headers: zipped });
    expect(answered.json).toEqual({ content_type: "text/csv", size: "3" });
  });

  test("is answered as what it says it is, whatever the client accepts", async () => {
    const answer = await call(shop, `GET ${book}/cover`, { headers: { accept: "image/*" } });
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.text).toBe("cover of shelves/1/books/2");
    const untyped = openBookshop({}, { putCover: () => ({ data: bytes }) });
    expect((await call(untyped, `GET ${book}/cover`)).headers.get("content-type")).toBe("application/octet-stream");
  });

  test("is limited like every body", async () => {
    const answer = await call(shop, "POST /v1/books:import", { body: Buffer.alloc(65_537) });
    expect(answer.status).toBe(413);
  });
});

describe("streams", () => {
  const watch = "/v1/shelves/1/books:watch";

  test("are JSON texts, one a line", async () => {
    const answer = await call(shop, `GET ${watch}?limit=3`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = answer.text.split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.map((line) => JSON.parse(line).name)).toEqual([1, 2, 3].map((number) => `shelves/1/books/${number}`));
  });

  test("may be empty", async () => {
    const answer = await call(shop, `GET ${watch}`);
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  });

  test("that fail before their first message are answered like any other call", async () => {
    expect(await call(shop, `GET ${watch}?limit=-1`)).toMatchObject({
      status: 404,
      json: { error: { kind: "NotFound" } },
    });
  });

  test("that fail later end with the error's body", async () => {
    const gateway = openBookshop(
      {},
      {
        watchBooks: async function* () {
          yield { name: "one" };
          throw new Error("broken");
        },
      },
    );
    const answer = await call(gateway, `GET ${watch}`);
    expect(answer.status).toBe(200);
    const lines = answer.text.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] ?? "")).toEqual({ error: { kind: "Unknown", message: "broken" } });
  });

  test("pass the interceptors, as streams", async () => {
    const seen: unknown[] = [];
    const gateway = openBookshop({
      interceptors: [
        (next) => async (request) => {
          const response = await next(request);
          seen.push(request.stream, response.stream);
          response.header.set("x-seen", "1");
          return response;
        },
      ],
    });
    const answer = await call(gateway, `GET ${watch}?limit=1`);
    expect(seen).toEqual([true, true]);
    expect(answer.headers.get("x-seen")).toBe("1");
  });

  test("of a client that goes away end the handler", async () => {
    const controller = new AbortController();
    let ended: () => void = () => {};
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const gateway = openBookshop(
      {},
      {
        watchBooks: async function* (_, context) {
          try {
            for (;;) {
              yield { name: "more" };
              context.signal.throwIfAborted();
            }
          } finally {
            ended();
          }
        },
      },
    );
    const response = await gateway.handle({
      httpVersion: "1.1",
      method: "GET",
      url: watch,
      header: new Headers(),
      body: {},
      signal: controller.signal,
    });
    expect(response.status).toBe(200);
    controller.abort();
    await end;
  });

  test("that nobody reads to the end end the handler", async () => {
    let isEnded = false;
    let signal: AbortSignal | undefined;
    const gateway = openBookshop(
      {},
      {
        watchBooks: async function* (_, context) {
          signal = context.signal;
          try {
            for (;;) {
              yield { name: "more" };
            }
          } finally {
            isEnded = true;
          }
        },
      },
    );
    const response = await gateway.handle({
      httpVersion: "1.1",
      method: "GET",
      url: watch,
      header: new Headers(),
      body: {},
      signal: new AbortController().signal,
    });
    let count = 0;
    for await (const _ of response.body ?? []) {
      count += 1;
      expect(signal?.aborted).toBe(false);
      if (count === 3) {
        break;
      }
    }
    await Promise.resolve();
    expect(isEnded).toBe(true);
    expect(signal?.aborted).toBe(true);
  });

  test("whose time is over do not look complete", async () => {
    const gateway = openBookshop(
      {},
      {
        watchBooks: async function* (_, context) {
          yield { name: "one" };
          await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
        },
      },
    );
    const answer = await call(gateway, `GET ${watch}`, { headers: { "request-timeout": "0.02" } });
    expect(JSON.parse(answer.text.split("\n")[1] ?? "")).toMatchObject({ error: { kind: "DeadlineExceeded" } });
  });

  test("have headers alone for HEAD", async () => {
    const answer = await call(shop, `HEAD ${watch}?limit=3`);
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  });

  test.each([
    ["application/x-ndjson", 200],
    ["application/json", 200],
    ["*/*", 200],
    ["text/event-stream", 406],
  ])("Accept: %s is %i", async (accept, status) => {
    expect((await call(shop, `GET ${watch}?limit=1`, { headers: { accept } })).status).toBe(status);
  });
});
