import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();

describe("streams", () => {
  const watch = "/v1/shelves/1/books:watch";

  test("are sent as JSON, one message on a line", async () => {
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

  test("that fail before the first message are answered like a unary call", async () => {
    expect(await call(shop, `GET ${watch}?limit=-1`)).toMatchObject({
      status: 404,
      json: { error: { kind: "NotFound" } },
    });
  });

  test("that fail later end with the error as the last line", async () => {
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

  test("pass through the interceptors as streams", async () => {
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

  test("end the handler when the client disconnects", async () => {
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

  test("never begin if the client disconnects before the first message", async () => {
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

  test("end the handler when the reader stops early", async () => {
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

  test("that exceed Request-Timeout end with an error, not as if complete", async () => {
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

  test("have no body for HEAD", async () => {
    const answer = await call(shop, `HEAD ${watch}?limit=3`);
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  });

  test.each([
    ["application/x-ndjson", 200],
    ["application/json", 200],
    ["*/*", 200],
    ["text/event-stream", 200],
    ["text/plain", 406],
  ])("Accept: %s is answered with %i", async (accept, status) => {
    expect((await call(shop, `GET ${watch}?limit=1`, { headers: { accept } })).status).toBe(status);
  });
});
