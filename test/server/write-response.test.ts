import { once } from "node:events";
import { createServer as createHttp1, request as request1 } from "node:http";
import { connect, createServer as createHttp2 } from "node:http2";
import { text } from "node:stream/consumers";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { describe, expect, test } from "vitest";
import { HeaderFields } from "../../src/rest/header-fields.ts";
import { SingleChunk } from "../../src/rest/single-chunk.ts";
import { Http2Request } from "../../src/server/http2-request.ts";
import { Http2Response } from "../../src/server/http2-response.ts";
import { writeResponse } from "../../src/server/write-response.ts";

interface Received {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

const defaults = { "X-Request-Id": "req_1", "Cache-Control": "private", "X-Content-Type-Options": "nosniff" };
/** As the port sets the first for every answer, and a page that turns out to be hidden the others. */
const setBefore = new Map([
  ["Strict-Transport-Security", "max-age=1"],
  ["X-Request-Id", "req_1"],
  ["Cache-Control", "private"],
  ["X-Content-Type-Options", "nosniff"],
]);

function portOf(address: ReturnType<ReturnType<typeof createHttp1>["address"]>): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function overHttp1(answer: UniversalServerResponse): Promise<Received> {
  const server = createHttp1((_, response) => {
    response.setHeaders(setBefore);
    void writeResponse(answer, response, defaults);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const sent = request1({ host: "127.0.0.1", port: portOf(server.address()), agent: false }).end();
  const [response] = await once(sent, "response");
  const body = await text(response);
  server.close();
  return { status: response.statusCode, headers: response.headers, body, trailers: response.trailers };
}

async function overHttp2(answer: UniversalServerResponse): Promise<Received> {
  const server = createHttp2().listen(0, "127.0.0.1");
  server.on("session", (connection) => {
    connection.on("stream", (stream, headers, _flags, rawHeaders) => {
      const response = new Http2Response(new Http2Request(stream, connection.socket, headers, rawHeaders));
      setBefore.forEach((value, name) => {
        response.setHeader(name, value);
      });
      void writeResponse(answer, response, defaults);
    });
  });
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${portOf(server.address())}`);
  const stream = session.request({ ":path": "/" });
  let trailers = {};
  stream.on("trailers", (received) => {
    trailers = received;
  });
  const [headers] = await once(stream, "response");
  const body = await text(stream);
  session.close();
  server.close();
  return { status: headers[":status"], headers, body, trailers };
}

async function* chunks() {
  yield Buffer.from("one ");
  yield Buffer.from("two");
}

function headersWithCookies(): Headers {
  const header = new HeaderFields(["cache-control", "no-store"]);
  header.append("set-cookie", "a=1");
  header.append("set-cookie", "b=2");
  return header;
}

describe.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
])("an answer over %s", (_, send) => {
  test.each([
    ["of one chunk", new SingleChunk(Buffer.from("one two")), "one two"],
    ["of one chunk of ASCII text", new SingleChunk("one two"), "one two"],
    ["of several chunks", chunks, "one two"],
    ["without a body", undefined, ""],
  ])("%s has its headers, the defaults that it lacks, and each of its cookies", async (_name, body, expected) => {
    const content = typeof body === "function" ? body() : body;
    const answer = { status: 201, header: headersWithCookies(), ...(content !== undefined && { body: content }) };
    const received = await send(answer);
    expect(received).toMatchObject({ status: 201, body: expected });
    expect(received.headers).toMatchObject({
      "strict-transport-security": "max-age=1",
      "x-content-type-options": "nosniff",
      "x-request-id": "req_1",
      "cache-control": "no-store",
      "set-cookie": ["a=1", "b=2"],
    });
  });

  test("has its trailers", async () => {
    const body = new SingleChunk(Buffer.from("one"));
    const trailer = new HeaderFields(["grpc-status", "0"]);
    const received = await send({ status: 200, header: new HeaderFields(), body, trailer });
    expect(received).toMatchObject({ status: 200, body: "one", trailers: { "grpc-status": "0" } });
  });
});
