/** Sends a generated request to a server, and reads the answer into a form in which two of them can be compared. */
import { Agent, request as requestHttp1 } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { type ErrorInfo, ErrorInfoSchema } from "../../../gen/byond/v1/error_pb.ts";
import type { GeneratedRequest } from "./generated-request.ts";
import type { Side } from "./two-servers.ts";

/** An answer, as far as the protocol of the call says what it means. */
export interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Those of HTTP, or those in the last frame of gRPC-Web. */
  readonly trailers: Readonly<Record<string, string>>;
  /** The message, in base64: of gRPC and gRPC-Web with its frame. Empty for none. */
  readonly message: string;
  /** `ok`, or the code of the error on the wire. */
  readonly code: string;
  readonly errorMessage: string;
  /** Our detail of the error. */
  readonly info: ErrorInfo | undefined;
}

/** Headers that belong to the connection, and those that our port adds to every answer. */
const ofThePort = new Set([
  "connection",
  "date",
  "keep-alive",
  "transfer-encoding",
  "x-request-id",
  "x-content-type-options",
  "cache-control",
  // Of answers to calls that the gate has not refused, both sides have it.
  "byond-version",
]);

interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Connections to one of the servers. */
export class Connections implements Disposable {
  readonly #side: Side;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  #session: ClientHttp2Session | undefined;

  constructor(side: Side) {
    this.#side = side;
  }

  async send(request: GeneratedRequest, headers: Readonly<Record<string, string>>): Promise<Outcome> {
    const raw = await (request.httpVersion === 1
      ? this.#sendHttp1(request, headers)
      : this.#sendHttp2(request, headers));
    return readOutcome(request, raw);
  }

  #sendHttp1(
    { method, target, body }: GeneratedRequest,
    headers: Readonly<Record<string, string>>,
  ): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": String(body.length) };
      const options = { agent: this.#agent, method, headers: { ...headers, ...length } };
      const sent = requestHttp1(`${this.#side.http1}${target}`, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: textFields(answer.headers),
            trailers: textFields(answer.trailers),
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  #sendHttp2(
    { method, target, body }: GeneratedRequest,
    headers: Readonly<Record<string, string>>,
  ): Promise<RawAnswer> {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.#side.http2);
    }
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const stream = session.request(
        { ":method": method, ":path": target, ...headers },
        { endStream: body === undefined },
      );
      const chunks: Buffer[] = [];
      let head: Readonly<Record<string, string>> = {};
      let trailers: Readonly<Record<string, string>> = {};
      let status = 0;
      stream.on("response", (fields) => {
        status = fields[":status"] ?? 0;
        head = textFields(fields);
      });
      stream.on("trailers", (fields) => {
        trailers = textFields(fields);
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("end", () => resolve({ status, headers: head, trailers, body: Buffer.concat(chunks) }));
      if (body !== undefined) {
        stream.end(body);
      }
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
    this.#session?.close();
  }
}

function textFields(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !name.startsWith(":") && !ofThePort.has(name))
      .map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(", ") : String(value)])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function readOutcome(request: GeneratedRequest, raw: RawAnswer): Outcome {
  const type = raw.headers["content-type"] ?? "";
  if (type.startsWith("application/grpc-web")) {
    return readGrpcWeb(raw);
  }
  return type.startsWith("application/grpc")
    ? withStatus(raw, raw.headers, { ...raw.trailers }, raw.body)
    : readConnect(request, raw);
}

function readConnect(_request: GeneratedRequest, raw: RawAnswer): Outcome {
  const { status, headers, trailers } = raw;
  if (status === 200) {
    return {
      status,
      headers,
      trailers,
      message: raw.body.toString("base64"),
      code: "ok",
      errorMessage: "",
      info: undefined,
    };
  }
  const text = decompress(raw.body, headers["content-encoding"]).toString();
  const error = text.startsWith("{") ? JSON.parse(text) : { code: "none", message: text };
  const detail = error.details?.find(({ type }: { readonly type: string }) => type === ErrorInfoSchema.typeName);
  return {
    status,
    headers,
    trailers,
    message: raw.body.toString("base64"),
    code: error.code,
    errorMessage: error.message ?? "",
    info: detail && fromBinary(ErrorInfoSchema, Buffer.from(detail.value, "base64")),
  };
}

/** The last frame of the body is the trailers, whose order means nothing. */
function readGrpcWeb(raw: RawAnswer): Outcome {
  const { body, headers } = raw;
  for (let at = 0; at + 5 <= body.length; at += 5 + body.readUInt32BE(at + 1)) {
    const flags = body[at] ?? 0;
    if ((flags & 0x80) !== 0) {
      const bytes = body.subarray(at + 5);
      const text = decompress(bytes, (flags & 1) === 0 ? undefined : headers["grpc-encoding"]).toString();
      const lines = text.split("\r\n").filter((line) => line !== "");
      const fields = lines.map((line) => [line.split(":", 1).join().toLowerCase(), line.replace(/^[^:]*: ?/, "")]);
      return withStatus(
        raw,
        headers,
        textFields({ ...raw.trailers, ...Object.fromEntries(fields) }),
        body.subarray(0, at),
      );
    }
  }
  return withStatus(raw, headers, raw.trailers, body);
}

function withStatus(
  { status }: RawAnswer,
  headers: Readonly<Record<string, string>>,
  trailers: Readonly<Record<string, string>>,
  body: Buffer,
): Outcome {
  const fields = new Headers({ ...headers, ...trailers });
  const error = findTrailerError(fields);
  const code = error === undefined ? "ok" : String(error.code);
  const [info] = error?.findDetails(ErrorInfoSchema) ?? [];
  const errorMessage = error?.rawMessage ?? "";
  return { status, headers, trailers, message: body.toString("base64"), code, errorMessage, info };
}

function decompress(bytes: Buffer, encoding: string | undefined): Buffer {
  switch (encoding) {
    case "gzip":
      return gunzipSync(bytes);
    case "br":
      return brotliDecompressSync(bytes);
    default:
      return bytes;
  }
}
