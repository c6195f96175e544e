import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { describe, expect, test, vi } from "vitest";
import { CallContext } from "../../src/rest/call-context.ts";
import { BookshopService } from "./gen/bookshop/v1/bookshop_pb.ts";

function openContext(init: { signal?: AbortSignal; timeoutMs?: number; shutdownSignal?: AbortSignal } = {}) {
  const { signal = new AbortController().signal, ...more } = init;
  const asked: string[] = [];
  const request: UniversalServerRequest = {
    httpVersion: "1.1",
    method: "GET",
    header: new Headers({ a: "1" }),
    body: {},
    get url() {
      asked.push("url");
      return "http://localhost/v1/books";
    },
    get signal() {
      asked.push("signal");
      return signal;
    },
  };
  const values = createContextValues();
  const method = BookshopService.method.getBook;
  const context = new CallContext({ method, protocolName: "rest", request, values, ...more });
  return { context, asked };
}

test("a call of which nobody asks more has no signal and no URL made for it", () => {
  const { context, asked } = openContext({ timeoutMs: 1_000 });
  expect(context.requestHeader.get("a")).toBe("1");
  context.responseHeader.set("b", "2");
  context.end();
  expect(asked).toEqual([]);
});

describe("the signal of a call", () => {
  test("aborts with the request's, for its reason", () => {
    const client = new AbortController();
    const { signal } = openContext({ signal: client.signal }).context;
    expect(signal.aborted).toBe(false);
    client.abort("gone");
    expect(signal.reason).toBe("gone");
  });

  test("aborts with the server's, for its reason", () => {
    const shutdown = new AbortController();
    const { signal } = openContext({ shutdownSignal: shutdown.signal }).context;
    shutdown.abort("stopping");
    expect(signal.reason).toBe("stopping");
  });

  test("has aborted if one of them had before anybody asked for it", () => {
    expect(openContext({ signal: AbortSignal.abort("gone") }).context.signal.reason).toBe("gone");
  });

  test("aborts when the time of the client is over, counted from the beginning of the call", () => {
    vi.useFakeTimers();
    try {
      const { context } = openContext({ timeoutMs: 1_000 });
      vi.advanceTimersByTime(600);
      const { signal } = context;
      vi.advanceTimersByTime(399);
      expect(signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(signal.reason).toBeInstanceOf(ConnectError);
      expect(signal.reason).toMatchObject({ code: Code.DeadlineExceeded });
    } finally {
      vi.useRealTimers();
    }
  });

  test("aborts when the call is over, and is the same one however often it is asked for", () => {
    const { context } = openContext();
    const { signal } = context;
    context.end();
    expect(signal.aborted).toBe(true);
    expect(context.signal).toBe(signal);
  });

  test("has aborted if the call was over before anybody asked for it", () => {
    const { context } = openContext();
    context.end();
    expect(context.signal.aborted).toBe(true);
  });

  test("hangs on nothing when the call is over", () => {
    const shutdown = new AbortController();
    const removed = vi.spyOn(shutdown.signal, "removeEventListener");
    const { context } = openContext({ shutdownSignal: shutdown.signal });
    expect(context.signal.aborted).toBe(false);
    context.end();
    expect(removed).toHaveBeenCalledTimes(1);
  });
});

test("the time that is left is in whole milliseconds, and undefined where there is no limit", () => {
  expect(openContext().context.timeoutMs()).toBeUndefined();
  const left = openContext({ timeoutMs: 1_000.4 }).context.timeoutMs();
  expect(Number.isInteger(left)).toBe(true);
  expect(left).toBeLessThanOrEqual(1_000);
});
