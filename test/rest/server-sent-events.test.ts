import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { describe, expect, test } from "vitest";
import type { GatewayOptions } from "../../src/rest/gateway.ts";
import type { EventStreamFields } from "../../src/rest/server-sent-events.ts";
import { openStream } from "../../src/rest/stream-opening.ts";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const follow = "/v1/sales:follow";
const asEvents = { accept: "text/event-stream" };

/** A request to follow the sales. */
function request(headers: Readonly<Record<string, string>>): UniversalServerRequest {
  const { signal } = new AbortController();
  return { httpVersion: "1.1", method: "GET", url: follow, header: new Headers(headers), body: {}, signal };
}

/** The events of a stream, and its comments, as an independent parser reads them. */
function parse(text: string): (Partial<EventSourceMessage> | string)[] {
  const found: (Partial<EventSourceMessage> | string)[] = [];
  const parser = createParser({
    onEvent: (event) => found.push({ ...event }),
    onComment: (comment) => found.push(comment),
  });
  parser.feed(text);
  return found;
}

describe("server-sent events", () => {
  test("have the id, the name and the JSON of each message; one with nothing to show only has its id", async () => {
    const answer = await call(shop, `GET ${follow}`, { headers: asEvents });
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      'event: novel\nid: 1\ndata: {"title":"Ulysses","genre":"novel"}\n\n' +
        "id: 2\n\n" +
        'id: 3\ndata: {"title":"über\\n\u2028","genre":"unspecified"}\n\n',
    );
    expect(parse(answer.text)).toEqual([
      { event: "novel", id: "1", data: '{"title":"Ulysses","genre":"novel"}' },
      { event: undefined, id: "3", data: '{"title":"über\\n\u2028","genre":"unspecified"}' },
    ]);
  });

  test("are not held back or stored on their way", async () => {
    const { headers } = await call(shop, `GET ${follow}`, { headers: { ...asEvents, "accept-encoding": "gzip, br" } });
    expect(Object.fromEntries(headers)).toEqual({
      "content-type": "text/event-stream",
      "cache-control": "private, no-cache, no-transform",
      "x-accel-buffering": "no",
      vary: "accept",
    });
  });

  test("need no options: every stream of messages can be had as events", async () => {
    const answer = await call(shop, "GET /v1/shelves/1/books:watch?limit=2", { headers: asEvents });
    expect(parse(answer.text)).toMatchObject([
      { id: undefined, event: undefined, data: expect.stringContaining('"shelves/1/books/1"') },
      { id: undefined, event: undefined, data: expect.stringContaining('"shelves/1/books/2"') },
    ]);
  });

  test("end with an event `error` if the stream fails after it was opened", async () => {
    const gateway = openBookshop(
      {},
      {
        followSales: async function* () {
          yield { cursor: "1", sale: {} };
          throw new ConnectError("the till is broken", Code.DataLoss);
        },
      },
    );
    const { text } = await call(gateway, `GET ${follow}`, { headers: asEvents });
    expect(parse(text).at(-1)).toEqual({
      id: undefined,
      event: "error",
      data: '{"error":{"kind":"DataLoss","message":"the till is broken"}}',
    });
  });

  test.each(["two\nlines", "carriage\rreturn", "nul\0"])(
    "never carry an id that would end its line: %j",
    async (cursor) => {
      const gateway = openBookshop(
        {},
        {
          followSales: async function* () {
            yield { cursor: "1", sale: {} };
            yield { cursor, sale: {} };
          },
        },
      );
      const { text } = await call(gateway, `GET ${follow}`, { headers: asEvents });
      expect(parse(text)).toMatchObject([{ id: "1" }, { event: "error" }]);
    },
  );

  test.each<[accept: string, type: string]>([
    ["text/event-stream", "text/event-stream"],
    ["Text/Event-Stream", "text/event-stream"],
    ["text/*", "text/event-stream"],
    ["text/event-stream, */*", "text/event-stream"],
    ["application/json, text/event-stream", "text/event-stream"],
    ["application/x-ndjson;q=0.5, text/event-stream", "text/event-stream"],
    ["application/x-ndjson, text/event-stream", "application/x-ndjson"],
    ["text/event-stream;q=0.5, */*", "application/x-ndjson"],
    ["text/event-stream;q=0, */*", "application/x-ndjson"],
    ["application/json", "application/x-ndjson"],
    ["*/*", "application/x-ndjson"],
  ])("Accept: %s is answered with %s", async (accept, type) => {
    const answer = await call(shop, `GET ${follow}`, { headers: { accept } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
  });

  test("without Accept, lines of JSON are sent", async () => {
    const answer = await call(shop, `GET ${follow}`);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    expect(answer.text).toBe('{"title":"Ulysses","genre":"novel"}\n {"title":"über\\n\u2028","genre":"unspecified"}\n');
  });

  test("a unary call is not acceptable as events", async () => {
    expect((await call(shop, "GET /v1/shelves/1/books/2", { headers: asEvents })).status).toBe(406);
  });
});

describe("Last-Event-ID", () => {
  const requests: unknown[] = [];
  const gateway = openBookshop(
    {},
    {
      followSales: async function* (request, context) {
        requests.push(request.after);
        yield { cursor: context.requestMethod };
      },
    },
  );

  test.each<[target: string, header: string | undefined, after: string | undefined]>([
    [follow, undefined, undefined],
    [follow, "", undefined],
    [follow, "7", "7"],
    [`${follow}?after=5`, undefined, "5"],
    [`${follow}?after=5`, "", "5"],
    [`${follow}?after=5`, "7", "7"],
    // As HTTP/1.1 and HTTP/2 are read: each byte of the UTF-8 that browsers send is a character.
    [follow, "Ã¼ber", "über"],
  ])("%s with the header %j is read as %j", async (target, header, after) => {
    const headers = header === undefined ? {} : { "last-event-id": header };
    expect((await call(gateway, `GET ${target}`, { headers })).status).toBe(200);
    expect(requests.pop()).toBe(after);
  });

  test("is read for lines of JSON, too, and means nothing to other RPCs", async () => {
    const headers = { "last-event-id": "7" };
    expect((await call(gateway, `GET ${follow}`, { headers })).status).toBe(200);
    expect(requests.pop()).toBe("7");
    expect((await call(gateway, "GET /v1/shelves/1/books:watch?limit=1", { headers })).status).toBe(200);
    expect((await call(gateway, "GET /v1/shelves/1/books/2", { headers })).status).toBe(200);
  });

  test("a value that the field does not take is a violation of it", async () => {
    const numbered = openBookshop({
      eventStream: ({ name }) => (name === "WatchBooks" ? { lastEventId: "limit" } : undefined),
    });
    const headers = { "last-event-id": "seven" };
    expect(await call(numbered, "GET /v1/shelves/1/books:watch", { headers })).toMatchObject({
      status: 422,
      json: { error: { fields: { limit: "must be an integer" } } },
    });
  });
});

describe("the status of a stream", () => {
  const never = () => new Promise<never>(() => undefined);

  /** Answers as soon as the gateway does, without reading the body. */
  async function head(
    options: Partial<GatewayOptions>,
    implementation: Parameters<typeof openBookshop>[1],
    method = "GET",
  ) {
    const controller = new AbortController();
    const response = await openBookshop(options, implementation).handle({
      ...request(asEvents),
      method,
      signal: controller.signal,
    });
    const chunks = response.body?.[Symbol.asyncIterator]();
    const read = async () => Buffer.from((await chunks?.next())?.value ?? []).toString();
    return { status: response.status, read, abort: () => controller.abort(new Error("gone")), body: response.body };
  }

  test("is sent when the handler opens the stream, before it has a message", async () => {
    let send: () => void = () => undefined;
    const { status, read, abort } = await head(
      {},
      {
        followSales: async function* (_, context) {
          openStream(context);
          await new Promise<void>((resolve) => {
            send = resolve;
          });
          yield { cursor: "1", sale: {} };
          await never();
        },
      },
    );
    expect(status).toBe(200);
    expect(await read()).toBe(":\n\n");
    send();
    expect(await read()).toContain("id: 1\n");
    abort();
    expect(await read()).toContain("gone");
    expect(await read()).toBe("");
  });

  test("is that of the error, if the handler throws before it opens the stream", async () => {
    const gateway = openBookshop(
      {},
      {
        followSales: async function* (_, context) {
          await Promise.resolve();
          if (context.requestMethod === "GET") {
            throw new ConnectError("no such sale", Code.NotFound);
          }
          openStream(context);
          yield {};
        },
      },
    );
    const answer = await call(gateway, `GET ${follow}`, { headers: asEvents });
    expect(answer).toMatchObject({ status: 404, json: { error: { kind: "NotFound" } } });
    expect(answer.headers.get("content-type")).toBe("application/json");
  });

  test("is sent with the first heartbeat, if the handler says nothing at all", async () => {
    const { status, read, abort } = await head(
      { heartbeatMs: 10 },
      { followSales: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }) },
    );
    expect(status).toBe(200);
    expect([await read(), await read()]).toEqual([":\n\n", ":\n\n"]);
    abort();
    expect(await read()).toContain("gone");
  });

  test("a handler that opens its stream before it is read from opens it, too", async () => {
    const { status, abort } = await head(
      {},
      {
        followSales(_, context) {
          openStream(context);
          return { [Symbol.asyncIterator]: () => ({ next: never }) };
        },
      },
    );
    expect(status).toBe(200);
    abort();
  });

  test("HEAD gets it without waiting for a message, and the handler ends", async () => {
    let isEnded = false;
    const { status, body } = await head(
      {},
      {
        followSales: async function* (_, context) {
          openStream(context);
          await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
          isEnded = true;
          yield {};
        },
      },
      "HEAD",
    );
    expect([status, body]).toEqual([200, undefined]);
    expect(isEnded).toBe(true);
  });
});

describe("heartbeats", () => {
  test.each([
    ["text/event-stream", ":\n\n", 'data: {"title":"","genre":"unspecified"}\n\n'],
    ["application/x-ndjson", " ", '{"title":"","genre":"unspecified"}\n'],
  ])("of %s are ignored by its readers, and only sent while nothing else is", async (accept, heartbeat, message) => {
    const { promise: isHeard, resolve: heard } = Promise.withResolvers<void>();
    const gateway = openBookshop(
      { heartbeatMs: 5 },
      {
        followSales: async function* () {
          yield { sale: {} };
          await isHeard;
          yield { sale: {} };
        },
      },
    );
    const response = await gateway.handle(request({ accept }));
    const chunks: string[] = [];
    for await (const chunk of response.body ?? []) {
      chunks.push(Buffer.from(chunk).toString());
      if (chunks.length === 3) {
        heard();
      }
    }
    expect(chunks.slice(0, 3)).toEqual([message, heartbeat, heartbeat]);
    expect(chunks.at(-1)).toBe(message);
    if (accept === "text/event-stream") {
      expect(parse(chunks.join("")).filter((each) => typeof each === "object")).toHaveLength(2);
    } else {
      const lines = chunks.join("").trimEnd().split("\n");
      expect(lines.map((line) => JSON.parse(line))).toHaveLength(2);
    }
  });

  test("leave the message that is waited for as it is, however many there are", async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<IteratorResult<object>>();
    const gateway = openBookshop(
      { heartbeatMs: 1 },
      {
        followSales: () => ({
          [Symbol.asyncIterator]: () => ({
            next: () => {
              asked += 1;
              return asked === 1 ? promise : Promise.resolve({ done: true as const, value: undefined });
            },
          }),
        }),
      },
    );
    const chunks: string[] = [];
    for await (const chunk of (await gateway.handle(request({ accept: "text/event-stream" }))).body ?? []) {
      chunks.push(Buffer.from(chunk).toString());
      if (chunks.length === 20) {
        expect(asked).toBe(1);
        resolve({ done: false, value: { cursor: "1", sale: {} } });
      }
    }
    expect(chunks.at(-1)).toContain("id: 1\n");
    expect(asked).toBe(2);
  });
});

test("what the schema lacks for server-sent events is refused at start-up, all of it together", () => {
  const fields: Record<string, EventStreamFields> = {
    FollowSales: { id: "nope", event: "sale", lastEventId: "after.more" },
    WatchBooks: { id: "tags.tags", event: "isbn_digest", lastEventId: "parent" },
    GetBook: { id: "name" },
  };
  expect(() => openBookshop({ eventStream: ({ name }) => fields[name] })).toThrow(
    [
      "the schema cannot be served over REST:",
      'bookshop.v1.BookshopService.GetBook: has "name" for server-sent events, but does not stream its responses',
      'bookshop.v1.BookshopService.WatchBooks: has "tags.tags" for server-sent events, but tags is repeated',
      'bookshop.v1.BookshopService.WatchBooks: has "isbn_digest" for server-sent events, but it is neither text nor a number nor an enum',
      'bookshop.v1.BookshopService.FollowSales: has "nope" for server-sent events, but bookshop.v1.FollowSalesResponse has no such field',
      'bookshop.v1.BookshopService.FollowSales: has "sale" for server-sent events, but it is neither text nor a number nor an enum',
      'bookshop.v1.BookshopService.FollowSales: has "after.more" for server-sent events, but bookshop.v1.FollowSalesRequest has no such field',
    ].join("\n"),
  );
});
