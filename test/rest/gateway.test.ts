import { Code, ConnectError, createContextKey, createContextValues, type Interceptor } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/rest/gateway-error.ts";
import { protoJson } from "../../src/rest/json-style.ts";
import { bindingViolations } from "../../src/rest/violations.ts";
import { call, explain, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";
const json = { "content-type": "application/json" };

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
  ])("%s is %i", async (line, status) => {
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

  test("a path that is not percent-encoded UTF-8 is malformed", async () => {
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
  ])("of type %j is %i", async (type, status) => {
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
    ["a byte order mark", "\ufeff{}"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["a surrogate in UTF-8", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["101 levels", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`],
    ["ten thousand levels", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["thirty thousand levels, open", "[".repeat(30_000)],
  ])("is malformed: %s", async (_, body) => {
    const answer = await call(shop, move, { body, headers: json });
    expect(answer).toMatchObject({ status: 400, json: { error: { kind: "malformed-body" } } });
  });

  test("may be 100 levels deep", async () => {
    const attributes = `${'{"a":'.repeat(98)}1${"}".repeat(98)}`;
    const answer = await call(shop, `PUT ${book}`, { body: `{"attributes":${attributes}}`, headers: json });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(attributes);
  });

  test("may come in pieces, cut inside of a character", async () => {
    const bytes = Buffer.from('{"shelf":"ü📚"}');
    const body = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(await call(shop, move, { body, headers: json })).toMatchObject({ json: { name: "shelves/1/books/2@ü📚" } });
  });

  test("may have been parsed by a framework", async () => {
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

  test("is limited, as received and decompressed", async () => {
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

  test("that nobody takes is refused", async () => {
    const refused = {
      status: 400,
      json: { error: { kind: "malformed-body", message: "This request takes no body." } },
    };
    expect(await call(shop, `DELETE ${book}`, { body: "{}", headers: { "content-length": "2" } })).toMatchObject(
      refused,
    );
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

  test("a stream that breaks off is the hook's to explain", async () => {
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

describe("refusals come in the documented order", () => {
  const refused = new ConnectError("who are you?", Code.NotFound);
  const gated = openBookshop({
    requestGate: () => {
      throw refused;
    },
  });
  const bad = { body: "nope", headers: { "content-type": "text/plain", accept: "text/html", "request-timeout": "x" } };

  test("route, gate, header, Accept, body, fields", async () => {
    expect((await call(gated, `POST /nowhere`, bad)).status).toBe(404);
    expect((await call(gated, `POST ${book}`, bad)).status).toBe(405);
    expect(kindOf(await call(gated, `POST ${book}:move`, bad))).toBe("NotFound");
    expect(kindOf(await call(shop, `POST ${book}:move`, bad))).toBe("malformed-header");
    const headers = { "content-type": "text/plain", accept: "text/html" };
    expect(kindOf(await call(shop, `POST ${book}:move`, { body: "nope", headers }))).toBe("not-acceptable");
    expect(kindOf(await call(shop, `POST ${book}:move?nope=1`, { body: "nope", headers: json }))).toBe(
      "malformed-body",
    );
    expect(kindOf(await call(shop, `POST ${book}:move?nope=%`, { body: "{}", headers: json }))).toBe(
      "malformed-target",
    );
    expect(kindOf(await call(shop, `POST ${book}:move?nope=1`, { body: "{}", headers: json }))).toBe("invalid-fields");
  });
});

describe("interceptors, the gate and the handlers", () => {
  const userKey = createContextKey("nobody");

  test("see one another's context values, and what the server put there", async () => {
    const seen: string[] = [];
    const gateway = openBookshop(
      {
        requestGate: (context) => {
          seen.push(`gate ${context.values.get(userKey)}`);
          context.values.set(userKey, "Ana");
        },
        interceptors: [
          (next) => (request) => {
            seen.push(`interceptor ${request.contextValues.get(userKey)}`);
            return next(request);
          },
        ],
        errorResponse: (error, context) => {
          seen.push(`error ${context.values.get(userKey)} ${context.method?.name} ${context.route?.template}`);
          return explain(error, context);
        },
      },
      {
        getBook: (_, context) => {
          seen.push(`handler ${context.values.get(userKey)}`);
          throw new ConnectError("gone", Code.NotFound);
        },
      },
    );
    const response = await gateway.handle({
      httpVersion: "1.1",
      method: "GET",
      url: book,
      header: new Headers(),
      body: {},
      signal: AbortSignal.any([]),
      contextValues: createContextValues().set(userKey, "server"),
    });
    expect(response.status).toBe(404);
    expect(seen).toEqual([
      "gate server",
      "interceptor Ana",
      "handler Ana",
      "error Ana GetBook /v1/{name=shelves/*/books/*}",
    ]);
  });

  test("the first interceptor is the outermost, and all are composed once", async () => {
    const seen: string[] = [];
    let composed = 0;
    const named =
      (name: string): Interceptor =>
      (next) => {
        composed += 1;
        return async (request) => {
          seen.push(`${name} in`);
          const response = await next(request);
          seen.push(`${name} out`);
          return response;
        };
      };
    const gateway = openBookshop({ interceptors: [named("a"), named("b")] });
    const before = composed;
    await call(gateway, `GET ${book}`);
    await call(gateway, `GET ${book}`);
    expect(seen).toEqual(["a in", "b in", "b out", "a out", "a in", "b in", "b out", "a out"]);
    expect(composed).toBe(before);
  });

  test("know the RPC, the request, and that it came over REST", async () => {
    const seen: unknown[] = [];
    const gateway = openBookshop(
      {
        interceptors: [
          (next) => (request) => {
            seen.push(request.service.typeName, request.method.name, request.requestMethod, request.header.get("x-a"));
            return next(request);
          },
        ],
      },
      {
        getBook: (_, context) => {
          seen.push(context.protocolName, context.requestMethod, context.url, context.method.name, context.timeoutMs());
          return {};
        },
      },
    );
    await call(gateway, `GET ${book}`, { headers: { "x-a": "1" } });
    const url = `http://localhost:8080${book}`;
    expect(seen).toEqual([
      "bookshop.v1.BookshopService",
      "GetBook",
      "GET",
      "1",
      "rest",
      "GET",
      url,
      "GetBook",
      undefined,
    ]);
  });

  test("change what the handler sees, and what is answered", async () => {
    const gateway = openBookshop(
      {
        interceptors: [
          (next) => async (request) => {
            const header = new Headers(request.header);
            header.set("x-added", "1");
            const response = await next(Object.assign({}, request, { header }));
            const answered = new Headers(response.header);
            answered.set("x-answered", "2");
            answered.delete("x-dropped");
            return Object.assign({}, response, { header: answered });
          },
        ],
      },
      {
        getBook: (_, context) => {
          context.responseHeader.set("x-dropped", "3");
          return { title: context.requestHeader.get("x-added") ?? "" };
        },
      },
    );
    const answer = await call(gateway, `GET ${book}`);
    expect(answer.json).toMatchObject({ title: "1" });
    expect(answer.headers.get("x-answered")).toBe("2");
    expect(answer.headers.has("x-dropped")).toBe(false);
  });

  test("set headers that go out with successes and with errors", async () => {
    const gateway = openBookshop({
      requestGate: (context) => {
        context.responseHeader.set("x-request-id", "req_1");
        context.responseHeader.append("set-cookie", "a=1");
        context.responseHeader.append("set-cookie", "b=2");
      },
    });
    for (const query of ["", "?nope=1"]) {
      const answer = await call(gateway, `GET ${book}${query}`);
      expect(answer.status).toBe(query === "" ? 200 : 422);
      expect(answer.headers.get("x-request-id")).toBe("req_1");
      expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    }
  });

  test("are told the route, also by the hook for logs", async () => {
    const routes: string[] = [];
    const gateway = openBookshop({ onRoute: (route) => routes.push(`${route.httpMethod} ${route.template}`) });
    await call(gateway, `HEAD ${book}`);
    await call(gateway, "GET /nowhere");
    expect(routes).toEqual(["GET /v1/{name=shelves/*/books/*}"]);
  });
});

describe("violations of the binding", () => {
  test("are in the call's context values, for the interceptor that validates", async () => {
    const gateway = openBookshop({
      interceptors: [
        () => (request) => {
          const pending = request.contextValues.get(bindingViolations);
          return Promise.reject(
            new GatewayError("invalid-fields", "merged", { violations: [...pending, { path: "z", message: "too" }] }),
          );
        },
      ],
    });
    expect(await call(gateway, "GET /v1/books?page_size=x&in_stock=true")).toMatchObject({
      status: 422,
      json: { error: { message: "merged", fields: { page_size: "must be an integer", z: "too" } } },
    });
  });

  test("come with the message as far as it could be bound", async () => {
    let message: unknown;
    const gateway = openBookshop({
      interceptors: [
        (next) => (request) => {
          message = request.message;
          return next(request);
        },
      ],
    });
    await call(gateway, "GET /v1/books?page_size=x&in_stock=true");
    expect(message).toMatchObject({ $typeName: "bookshop.v1.ListBooksRequest", inStock: true });
    expect(message).not.toHaveProperty("pageSize");
  });

  test("never reach the implementation, whatever the interceptors do", async () => {
    let called = 0;
    const gateway = openBookshop(
      {},
      {
        listBooks: () => {
          called += 1;
          return {};
        },
        // biome-ignore lint/correctness/useYield: the stream fails if it is ever begun
        watchBooks: async function* () {
          called += 1;
          throw new Error("called");
        },
      },
    );
    expect((await call(gateway, "GET /v1/books?page_size=x")).status).toBe(422);
    expect((await call(gateway, "GET /v1/shelves/1/books:watch?limit=x")).status).toBe(422);
    expect(called).toBe(0);
  });
});

describe("failures", () => {
  test("of every kind are answered, with what the hook says", async () => {
    const thrown = [new Error("x"), "text", undefined, null, 5, new ConnectError("x", Code.Aborted)];
    for (const error of thrown) {
      const gateway = openBookshop({}, { getBook: () => Promise.reject(error) });
      expect((await call(gateway, `GET ${book}`)).status).toBe(500);
    }
  });

  test("of the hook itself are an empty 500", async () => {
    const gateway = openBookshop({
      errorResponse: () => {
        throw new Error("in the hook");
      },
    });
    expect(await call(gateway, "GET /nowhere")).toMatchObject({ status: 500, text: "" });
    const cyclic = openBookshop({ errorResponse: () => ({ status: 400, body: 5n }) });
    expect(await call(cyclic, "GET /nowhere")).toMatchObject({ status: 500, text: "" });
  });

  test("of an answer that cannot be written are errors like any other", async () => {
    const gateway = openBookshop({}, { getBook: () => ({ publishedAt: { seconds: 10n ** 15n } }) });
    expect((await call(gateway, `GET ${book}`)).status).toBe(500);
  });

  test("have the hook's headers, and those of the protocol", async () => {
    const gateway = openBookshop({
      errorResponse: () => ({ status: 418, headers: { "x-a": "1", allow: "none" }, body: { a: 1 } }),
    });
    const answer = await call(gateway, `POST ${book}`);
    expect(answer).toMatchObject({ status: 418, text: '{"a":1}' });
    expect(answer.headers.get("x-a")).toBe("1");
    expect(answer.headers.get("allow")).toBe("DELETE, GET, HEAD, PATCH, PUT");
    const other = openBookshop({
      errorResponse: () => ({ status: 400, headers: new Headers({ "x-b": "2" }), body: null }),
    });
    expect((await call(other, "GET /nowhere")).headers.get("x-b")).toBe("2");
  });

  test("keep their messages fit for clients", async () => {
    const answer = await call(shop, `POST ${book}:move`, { body: '{"secret', headers: json });
    expect(answer.json).toEqual({ error: { kind: "malformed-body", message: "The request body is not valid JSON." } });
  });
});

describe("answers", () => {
  test("have the status that the schema's owner says", async () => {
    const gateway = openBookshop({ successStatus: (method) => (method.name.startsWith("Create") ? 201 : 200) });
    expect((await call(gateway, "POST /v1/shelves/1/books", { json: {} })).status).toBe(201);
    expect((await call(gateway, `GET ${book}`)).status).toBe(200);
  });

  test("in ProtoJSON", async () => {
    const gateway = openBookshop({ json: protoJson });
    const answer = await call(gateway, `PUT ${book}`, {
      json: {
        priceCents: "5",
        genre: "GENRE_POETRY",
        attachment: { "@type": "type.googleapis.com/bookshop.v1.Author", name: "A" },
      },
    });
    expect(answer.json).toEqual({
      name: "shelves/1/books/2",
      subtitle: "undefined false",
      genre: "GENRE_POETRY",
      priceCents: "5",
      attachment: { "@type": "type.googleapis.com/bookshop.v1.Author", name: "A" },
    });
  });

  test("are JSON with their length", async () => {
    const answer = await call(shop, `GET ${book}`);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("content-length")).toBe(String(answer.bytes.length));
  });

  test("of an empty message are an empty object", async () => {
    expect(await call(shop, `DELETE ${book}`)).toMatchObject({ status: 200, text: "{}" });
  });
});

describe("time", () => {
  test.each(["0", "-1", "x", "1e3", "1,5", "", "1s", " ", "9999999999"])(
    "Request-Timeout: %j is malformed",
    async (value) => {
      const answer = await call(shop, `GET ${book}`, { headers: { "request-timeout": value } });
      expect(answer).toMatchObject({ status: 400, json: { error: { kind: "malformed-header" } } });
    },
  );

  test("Request-Timeout aborts the call's signal", async () => {
    const gateway = openBookshop(
      {},
      {
        getBook: (_, context) =>
          new Promise((_resolve, reject) => {
            expect(context.timeoutMs()).toBeGreaterThan(0);
            context.signal.addEventListener("abort", () => reject(context.signal.reason));
          }),
      },
    );
    const answer = await call(gateway, `GET ${book}`, { headers: { "request-timeout": "0.02" } });
    expect(kindOf(answer)).toBe("DeadlineExceeded");
  });

  test("very long ones do not overflow", async () => {
    const answer = await call(shop, `GET ${book}`, { headers: { "request-timeout": "999999999" } });
    expect(answer.status).toBe(200);
  });

  test("a client that goes away aborts the call's signal, and so does a shutdown", async () => {
    for (const source of ["client", "server"]) {
      const controller = new AbortController();
      const other = new AbortController();
      const gateway = openBookshop(
        { shutdownSignal: source === "server" ? controller.signal : other.signal },
        {
          getBook: (_, context) =>
            new Promise((_resolve, reject) => {
              context.signal.addEventListener("abort", () => reject(context.signal.reason));
              controller.abort(new ConnectError("away", Code.Canceled));
            }),
        },
      );
      const signal = source === "client" ? controller.signal : other.signal;
      expect(kindOf(await call(gateway, `GET ${book}`, { signal }))).toBe("Canceled");
    }
  });

  test("the signal of a call that is over is aborted, so that what hangs on it ends", async () => {
    let signal: AbortSignal | undefined;
    const gateway = openBookshop(
      {},
      {
        getBook: (_, context) => {
          signal = context.signal;
          expect(signal.aborted).toBe(false);
          return {};
        },
      },
    );
    await call(gateway, `GET ${book}`);
    expect(signal?.aborted).toBe(true);
  });
});
