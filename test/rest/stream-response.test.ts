import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();

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

  test("of a client that has gone before the first message never begin", async () => {
    let isEnded = false;
    const gateway = openBookshop(
      {},
      {
        watchBooks: async function* () {
          try {
            yield { name: "one" };
            yield { name: "two" };
          } finally {
            isEnded = true;
          }
        },
      },
    );
    const answer = await call(gateway, `GET ${watch}`, { signal: AbortSignal.abort(new Error("gone")) });
    expect(answer).toMatchObject({ status: 500, json: { error: { message: "gone" } } });
    expect(isEnded).toBe(true);
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
