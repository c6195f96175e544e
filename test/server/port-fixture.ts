import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import type { NodeRequest } from "../../src/server/normalize-request.ts";
import { type OnePort, type OnePortOptions, openOnePort } from "../../src/server/one-port.ts";

export interface TestPort extends OnePort {
  /** What reached `onRequest`, as `method target`. */
  readonly handled: string[];
  /** What reached `onError`. */
  readonly errors: unknown[];
}

/**
 * Opens a port whose handler answers with what it got: `{"method","target","protocol","bytes"}`, after the whole body. It
 * does with the target what the protocols behind the port do, who would end the process if it threw.
 */
export async function openTestPort(overrides: Partial<OnePortOptions> = {}): Promise<TestPort> {
  const handled: string[] = [];
  const errors: unknown[] = [];
  const port = await openOnePort({
    host: "127.0.0.1",
    port: 0,
    onRequest: async (request, response) => {
      const authority = "authority" in request ? request.authority : request.headers.host;
      const url = new URL(request.url ?? "", `http://${authority}`);
      if (url.username !== "" || !url.pathname.startsWith("/")) throw new Error(`not the same target: ${request.url}`);
      handled.push(`${request.method} ${request.url}`);
      let bytes = 0;
      try {
        for await (const chunk of readBody(request)) bytes += chunk.length;
      } catch {
        response.destroy();
        return;
      }
      response.setHeader("Content-Type", "application/json");
      response.end(
        JSON.stringify({ method: request.method, target: request.url, protocol: request.httpVersion, bytes }),
      );
    },
    onMalformed: (response, reason) => {
      response.statusCode = 400;
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ error: { code: "invalid_request", message: reason } }));
    },
    malformedContent: (reason) => ({
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ error: { code: "invalid_request", message: reason } }),
    }),
    onError: (error) => errors.push(error),
    ...overrides,
  });
  return { ...port, handled, errors };
}

function readBody(request: NodeRequest): AsyncIterable<Buffer> {
  return request;
}

export interface RawExchange {
  readonly socket: Socket;
  /** All that the server has sent so far, as Latin-1. */
  received(): string;
  /** Resolves when the connection is gone, with all that the server has sent. */
  readonly ended: Promise<string>;
}

/** Opens a connection, sends the text (Latin-1) and collects what comes back. */
export function exchangeRaw(port: TestPort, text: string): RawExchange {
  const socket = connectSocket(port.address.port, port.address.host);
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    received += chunk;
  });
  socket.on("error", () => undefined);
  if (text !== "") socket.write(text, "latin1");
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  return { socket, received: () => received, ended };
}

export function connectHttp2(url: string, ca?: Buffer): ClientHttp2Session {
  const session = connect(url, ca === undefined ? {} : { ca });
  session.on("error", () => undefined);
  return session;
}

export interface Http2Answer {
  readonly status: number | undefined;
  readonly body: string;
  /** The code of the reset or 0. */
  readonly resetCode: number;
}

/** Reads the answer of a stream to its end, however it ends. */
export async function readAnswer(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let status: number | undefined;
  let body = "";
  stream.on("response", (headers) => {
    status = headers[":status"];
  });
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    body += chunk;
  });
  stream.on("error", () => undefined);
  if (!stream.closed || !stream.destroyed) await new Promise((resolve) => stream.once("close", resolve));
  return { status, body, resetCode: stream.rstCode ?? 0 };
}

/** One request on a connection of its own. */
export async function requestHttp2(
  url: string,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
  ca?: Buffer,
): Promise<Http2Answer> {
  const session = connectHttp2(url, ca);
  await once(session, "connect");
  const stream = session.request(headers, { endStream: body === undefined });
  const answer = readAnswer(stream);
  if (body !== undefined) stream.end(body);
  const result = await answer;
  session.destroy();
  return result;
}
