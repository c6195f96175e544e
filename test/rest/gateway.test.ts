import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { protoJson } from "../../src/rest/json/json-style.ts";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";
const json = { "content-type": "application/json" };

const kindOf = (answer: { json: unknown }) => Object(answer.json).error?.kind;

describe("a request with several faults is rejected for the first in the documented order", () => {
  const refused = new ConnectError("who are you?", Code.NotFound);
  const gated = openBookshop({
    requestGate: () => {
      throw refused;
    },
  });
  const bad = { body: "nope", headers: { "content-type": "text/plain", accept: "text/html", "request-timeout": "x" } };

  test("route, request gate, Request-Timeout, Accept, body, fields", async () => {
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

describe("error responses", () => {
  test("whatever a handler throws, an Error or not, is answered", async () => {
    const thrown = [new Error("x"), "text", undefined, null, 5, new ConnectError("x", Code.Aborted)];
    for (const error of thrown) {
      const gateway = openBookshop({}, { getBook: () => Promise.reject(error) });
      expect((await call(gateway, `GET ${book}`)).status).toBe(500);
    }
  });

  test("an errorResponse that throws gives an empty 500", async () => {
    const gateway = openBookshop({
      errorResponse: () => {
        throw new Error("in the hook");
      },
    });
    expect(await call(gateway, "GET /nowhere")).toMatchObject({ status: 500, text: "" });
    const cyclic = openBookshop({ errorResponse: () => ({ status: 400, body: 5n }) });
    expect(await call(cyclic, "GET /nowhere")).toMatchObject({ status: 500, text: "" });
  });

  test("a response message that cannot be written as JSON is an error like any other", async () => {
    const gateway = openBookshop({}, { getBook: () => ({ publishedAt: { seconds: 10n ** 15n } }) });
    expect((await call(gateway, `GET ${book}`)).status).toBe(500);
  });

  test("the headers of errorResponse are sent, and those that HTTP requires, such as Allow", async () => {
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

  test("the message of the JSON parser, which quotes the body, is not sent", async () => {
    const answer = await call(shop, `POST ${book}:move`, { body: '{"secret', headers: json });
    expect(answer.json).toEqual({ error: { kind: "malformed-body", message: "The request body is not valid JSON." } });
  });
});

describe("successful responses", () => {
  test("successStatus sets the HTTP status of an RPC", async () => {
    const gateway = openBookshop({ successStatus: (method) => (method.name.startsWith("Create") ? 201 : 200) });
    expect((await call(gateway, "POST /v1/shelves/1/books", { json: {} })).status).toBe(201);
    expect((await call(gateway, `GET ${book}`)).status).toBe(200);
  });

  test("json: protoJson reads and writes ProtoJSON", async () => {
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

  test("Content-Type is JSON and Content-Length is set", async () => {
    const answer = await call(shop, `GET ${book}`);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("content-length")).toBe(String(answer.bytes.length));
  });

  test("an empty message is written as an empty object", async () => {
    expect(await call(shop, `DELETE ${book}`)).toMatchObject({ status: 200, text: "{}" });
  });
});
