import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as requestHttp1, type Server } from "node:http";
import { connect, createServer as createServer2, type Http2Server, type Http2ServerRequest } from "node:http2";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { EventSource } from "eventsource";
import { createParser } from "eventsource-parser";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStream } from "../../src/rest/stream-opening.ts";
import { openBookshop } from "./bookshop.ts";

/** What the handler of the next call does. */
let sales: (after: number, signal: AbortSignal) => AsyncIterable<{ cursor: string; sale: { title: string } }>;
let begun = 0;

const gateway = openBookshop(
  { heartbeatMs: 60_000 },
  {
    followSales: async function* ({ after }, context) {
      begun += 1;
      openStream(context);
      yield* sales(Number(after ?? 0), context.signal);
    },
  },
);

const sale = (number: number, title = "Ulysses") => ({ cursor: String(number), sale: { title } });
const forever = (signal: AbortSignal) => once(signal, "abort");

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = Parameters<typeof universalResponseToNodeResponse>[1];

async function serve(request: NodeRequest, response: NodeResponse): Promise<void> {
  const answer = await gateway.handle(universalRequestFromNodeRequest(request, response, undefined, undefined));
  // A client that went away has nobody to tell.
  await universalResponseToNodeResponse(answer, response).catch(() => {});
}

const http1: Server = createServer((request, response) => void serve(request, response));
const http2: Http2Server = createServer2((request, response) => void serve(request, response));

function portOf(server: Server | Http2Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const urlOf = (server: Server | Http2Server) => `http://127.0.0.1:${portOf(server)}/v1/sales:follow`;

beforeAll(async () => {
  for (const server of [http1, http2]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});

beforeEach(() => {
  begun = 0;
});

afterAll(() => {
  http1.closeAllConnections();
  http1.close();
  http2.close();
});

interface Opened {
  readonly status: unknown;
  readonly type: unknown;
  readonly body: Readable;
  readonly close: () => void;
}

/** Returns as soon as the status is there. The body is not read. */
const clients: Record<string, (accept: string) => Promise<Opened>> = {
  "HTTP/1.1": async (accept) => {
    const call = requestHttp1(urlOf(http1), { headers: { accept } });
    call.end();
    const [response]: IncomingMessage[] = await once(call, "response");
    if (response === undefined) throw new Error("there is no response");
    return {
      status: response.statusCode,
      type: response.headers["content-type"],
      body: response,
      close: () => response.destroy(),
    };
  },
  "HTTP/2": async (accept) => {
    const session = connect(urlOf(http2));
    const stream = session.request({ ":path": new URL(urlOf(http2)).pathname, accept });
    const [head] = await once(stream, "response");
    return {
      status: head[":status"],
      type: head["content-type"],
      body: stream,
      close: () => {
        stream.close();
        session.close();
      },
    };
  },
};

describe.each(Object.keys(clients))("over %s", (protocol) => {
  const open = (accept: string) => clients[protocol]?.(accept) ?? Promise.reject(new Error(protocol));

  test.each(["text/event-stream", "application/x-ndjson"])(
    "the status of %s arrives before there is a message",
    async (accept) => {
      const { promise: isOpen, resolve: opened } = Promise.withResolvers<void>();
      sales = async function* (_, signal) {
        await isOpen;
        yield sale(1);
        await forever(signal);
      };
      const { status, type, body, close } = await open(accept);
      expect([status, type]).toEqual([200, accept]);
      opened();
      let text = "";
      for await (const chunk of body) {
        text += chunk;
        if (text.includes("Ulysses")) break;
      }
      close();
    },
  );

  test("a client that does not read pauses the handler, and then gets everything in order", async () => {
    const total = 1_000;
    const title = "x".repeat(64 * 1024);
    let sent = 0;
    sales = async function* (after) {
      for (let number = after + 1; number <= total; number += 1) {
        sent = number;
        yield sale(number, title);
      }
    };
    const { body } = await open("text/event-stream");
    await settled(() => sent);
    // 64 MB are asked for. What is under way is bounded by the buffers of the operating system.
    expect(sent).toBeLessThan(total / 2);
    const ids: string[] = [];
    const parser = createParser({ onEvent: ({ id = "" }) => ids.push(id) });
    for await (const chunk of body) {
      parser.feed(String(chunk));
    }
    expect(ids).toEqual(Array.from({ length: total }, (_, index) => String(index + 1)));
  });
});

/** Waits until a number has stayed the same for a quarter of a second. */
async function settled(read: () => number): Promise<void> {
  for (let last = -1, unchanged = 0; unchanged < 10; ) {
    await pause(25);
    unchanged = read() === last ? unchanged + 1 : 0;
    last = read();
  }
}

describe("clients that we did not write", () => {
  test("an EventSource opens at once, and goes on after the last event when it was cut off", async () => {
    sales = async function* (after) {
      yield sale(after + 1);
      yield sale(after + 2);
      throw new Error("cut off");
    };
    const source = new EventSource(urlOf(http1));
    const seen: string[] = [];
    const errors: string[] = [];
    source.addEventListener("error", (event) => {
      if ("data" in event) errors.push(String(event.data));
    });
    await new Promise<void>((resolve) => {
      source.addEventListener("message", ({ lastEventId, data }) => {
        seen.push(`${lastEventId} ${JSON.parse(data).title}`);
        if (seen.length === 4) resolve();
      });
    });
    source.close();
    expect(seen).toEqual(["1 Ulysses", "2 Ulysses", "3 Ulysses", "4 Ulysses"]);
    expect(errors[0]).toBe('{"error":{"kind":"Unknown","message":"cut off"}}');
    expect(begun).toBe(2);
  });

  test("an EventSource does not come back for a request that is refused", async () => {
    const source = new EventSource(`${urlOf(http1)}?nope=1`);
    const [error] = await new Promise<{ code?: number | undefined }[]>((resolve) => {
      source.addEventListener("error", (event) => resolve([event]));
    });
    expect(error?.code).toBe(422);
    expect(source.readyState).toBe(EventSource.CLOSED);
  });

  test.each([
    ["--http1.1", () => http1],
    ["--http2-prior-knowledge", () => http2],
  ])("curl -N %s prints events as they come", async (flag, server) => {
    sales = async function* (after) {
      yield sale(after + 1);
    };
    const options = ["-sN", flag, "-H", "Accept: text/event-stream", "-H", "Last-Event-ID: 41", "--max-time", "10"];
    const { stdout } = await promisify(execFile)("curl", [...options, urlOf(server())]);
    expect(stdout).toContain('id: 42\ndata: {"title":"Ulysses","genre":"unspecified"}\n\n');
  });
});
