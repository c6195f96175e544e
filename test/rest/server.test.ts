import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, createServer as createServer2, type Http2Server, type Http2ServerRequest } from "node:http2";
import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBookshop } from "./bookshop.ts";

const aborted: string[] = [];
const gateway = openBookshop(
  {},
  {
    getBook: async ({ name }, context) => {
      if (name.endsWith("/slow")) {
        await once(context.signal, "abort");
        aborted.push(name);
      }
      return { name };
    },
    watchBooks: async function* ({ parent }, context) {
      try {
        for (let number = 1; ; number += 1) {
          yield { name: `${parent}/books/${number}` };
          await setTimeout(5, undefined, { signal: context.signal });
        }
      } finally {
        aborted.push(parent);
      }
    },
  },
);

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

const base = () => `http://127.0.0.1:${portOf(http1)}`;

beforeAll(async () => {
  for (const server of [http1, http2]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});

afterAll(() => {
  http1.closeAllConnections();
  http1.close();
  http2.close();
});

async function eventually(check: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200 && !check(); attempt += 1) {
    await setTimeout(10);
  }
  expect(check()).toBe(true);
}

describe("over HTTP/1.1", () => {
  test("plain and compressed requests are answered", async () => {
    const headers = { "content-type": "application/json" };
    const plain = await fetch(`${base()}/v1/shelves/1/books`, { method: "POST", headers, body: '{"title":"ü"}' });
    expect(await plain.json()).toMatchObject({ title: "false ü" });
    const body = gzipSync(JSON.stringify({ title: "x".repeat(5000) }));
    const zipped = await fetch(`${base()}/v1/shelves/1/books`, {
      method: "POST",
      headers: { ...headers, "content-encoding": "gzip", "accept-encoding": "gzip" },
      body,
    });
    expect(zipped.headers.get("content-encoding")).toBe("gzip");
    expect(await zipped.json()).toMatchObject({ title: `false ${"x".repeat(5000)}` });
  });

  test("a response without a body leaves the connection usable", async () => {
    const socket = createConnection(portOf(http1), "127.0.0.1");
    const request = (line: string, header = "") => socket.write(`${line} HTTP/1.1\r\nHost: x\r\n${header}\r\n`);
    request("HEAD /v1/shelves/1/books/2");
    request("OPTIONS /v1/books");
    request("GET /v1/shelves/1/books/2", "If-None-Match: *\r\n");
    request("GET /v1/nowhere", "Connection: close\r\n");
    const answers = await text(socket);
    expect(answers.match(/^HTTP\/1.1 \d+/gm)).toEqual(["HTTP/1.1 200", "HTTP/1.1 204", "HTTP/1.1 304", "HTTP/1.1 404"]);
  });

  test("a body that is too large is rejected while it is being sent, and the client receives the 413", async () => {
    const socket = createConnection(portOf(http1), "127.0.0.1");
    // The server may close the connection while it is still being written to.
    socket.on("error", () => {});
    socket.write("POST /v1/books:search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    socket.write("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    const chunk = `4000\r\n${" ".repeat(0x4000)}\r\n`;
    for (let count = 0; count < 8; count += 1) {
      socket.write(chunk);
    }
    const [first] = await once(socket, "data");
    expect(String(first)).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test("a client that disconnects aborts the call", async () => {
    const controller = new AbortController();
    const answer = fetch(`${base()}/v1/shelves/1/books/slow`, { signal: controller.signal });
    await setTimeout(50);
    controller.abort();
    await expect(answer).rejects.toThrow();
    await eventually(() => aborted.includes("shelves/1/books/slow"));
  });

  test("streams arrive line by line, and end when the client disconnects", async () => {
    const controller = new AbortController();
    const answer = await fetch(`${base()}/v1/shelves/one/books:watch`, { signal: controller.signal });
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    expect(JSON.parse(Buffer.from(first?.value ?? []).toString())).toMatchObject({ name: "shelves/one/books/1" });
    await reader?.read();
    controller.abort();
    await eventually(() => aborted.includes("shelves/one"));
  });
});

describe("over HTTP/2", () => {
  test("requests are answered, refused, and aborted", async () => {
    const session = connect(`http://127.0.0.1:${portOf(http2)}`);
    const send = async (path: string, body = "", headers = {}) => {
      const stream = session.request({ ":path": path, ":method": body === "" ? "GET" : "POST", ...headers });
      if (body !== "") {
        stream.write(body);
      }
      stream.end();
      const [head] = await once(stream, "response");
      return { status: head[":status"], json: JSON.parse(await text(stream)) };
    };
    expect(await send("/v1/shelves/1/books/2")).toMatchObject({ status: 200, json: { name: "shelves/1/books/2" } });
    expect(await send("/v1/books?nope=1")).toMatchObject({ status: 422 });
    const json = { "content-type": "application/json" };
    expect(await send("/v1/books:search", '{"in_stock":true}', json)).toMatchObject({ status: 200 });
    expect(await send("/v1/books:search", " ".repeat(100_000), json)).toMatchObject({ status: 413 });

    const slow = session.request({ ":path": "/v1/shelves/2/books/slow" });
    await setTimeout(50);
    slow.close();
    await eventually(() => aborted.includes("shelves/2/books/slow"));

    const stream = session.request({ ":path": "/v1/shelves/two/books:watch" });
    const [line] = await once(stream, "data");
    expect(JSON.parse(String(line))).toMatchObject({ name: "shelves/two/books/1" });
    stream.close();
    await eventually(() => aborted.includes("shelves/two"));
    session.close();
  });
});
