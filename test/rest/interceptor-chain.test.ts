import { Code, ConnectError, createContextKey, createContextValues, type Interceptor } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { bindingViolations } from "../../src/rest/field-violations.ts";
import { GatewayError } from "../../src/rest/gateway-error.ts";
import { withSignal } from "../../src/rest/interceptor-chain.ts";
import { call, explain, openBookshop } from "./bookshop.ts";

const book = "/v1/shelves/1/books/2";

describe("interceptors, the gate and the handlers", () => {
  const userKey = createContextKey("nobody");

  test("share the context values of a call, with what the server put there", async () => {
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

  test('see the RPC, the request, and "rest" as the protocol', async () => {
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

  test("see the URL and the signal of a call, also behind one that hands on a copy of the request", async () => {
    const signal = new AbortController().signal;
    const seen: unknown[] = [];
    const look: Interceptor = (next) => (request) => {
      seen.push(request.url, request.signal);
      return next(request);
    };
    const gateway = openBookshop(
      {
        interceptors: [
          (next) => (request) => next(Object.assign({}, request, { header: new Headers() })),
          look,
          (next) => (request) => next(withSignal(request, () => signal)),
          look,
          (next) => (request) => next(Object.assign({}, request, { signal: request.signal })),
          look,
        ],
      },
      {
        getBook: (_, context) => {
          seen.push(context.url, context.signal);
          return {};
        },
      },
    );
    await call(gateway, `GET ${book}`);
    const url = `http://localhost:8080${book}`;
    expect(seen).toEqual([url, expect.any(AbortSignal), url, signal, url, signal, url, signal]);
    expect(seen[1]).not.toBe(signal);
  });

  test("interceptors may replace the headers of the request and of the response", async () => {
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

  test("headers that the request gate sets are sent with successful and with error responses", async () => {
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

  test("onRoute is called with the route, if there is one", async () => {
    const routes: string[] = [];
    const gateway = openBookshop({ onRoute: (route) => routes.push(`${route.httpMethod} ${route.template}`) });
    await call(gateway, `HEAD ${book}`);
    await call(gateway, "GET /nowhere");
    expect(routes).toEqual(["GET /v1/{name=shelves/*/books/*}"]);
  });
});

describe("violations found while binding", () => {
  test("are in the call's context values, for the interceptor that validates", async () => {
    const gateway = openBookshop({
      interceptors: [
        () => (request) => {
          const pending = request.contextValues.get(bindingViolations);
          return Promise.reject(
            new GatewayError("invalid-fields", "merged", {
              violations: { ...pending, listed: [...pending.listed, { path: "z", message: "too" }] },
            }),
          );
        },
      ],
    });
    expect(await call(gateway, "GET /v1/books?page_size=x&in_stock=true")).toMatchObject({
      status: 422,
      json: { error: { message: "merged", fields: { page_size: "must be an integer", z: "too" } } },
    });
  });

  test("come with a message that holds every field that could be bound", async () => {
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
