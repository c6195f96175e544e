import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { call, openBookshop } from "./bookshop.ts";

const shop = openBookshop();
const book = "/v1/shelves/1/books/2";

const kindOf = (answer: { json: unknown }) => Object(answer.json).error?.kind;

describe("the end of a call", () => {
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

  test("a timeout beyond the range of timers does not overflow", async () => {
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

  test("the signal of a finished call is aborted, so that what listens to it ends", async () => {
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
