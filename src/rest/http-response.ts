import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { compress, type Encoding, encodingFor, varyByEncoding } from "./compression.ts";
import { matchesIfNoneMatch, setETag } from "./etag.ts";
import { GatewayError } from "./gateway-error.ts";
import type { Route } from "./route.ts";
import { SingleChunk } from "./single-chunk.ts";

export const jsonMediaType = "application/json";

/** JSON texts, one a line: what a stream is answered with by default. */
export const ndjsonMediaType = "application/x-ndjson";

/** The body of an answer, and its media type. Text is turned into bytes when somebody asks for them. */
export class ResponseContent {
  readonly type: string;
  /** Text if it was given as text. */
  readonly body: string | Uint8Array;
  /** In bytes. */
  readonly size: number;

  constructor(type: string, body: string | Uint8Array) {
    this.type = type;
    this.body = body;
    this.size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  }

  get bytes(): Uint8Array {
    return typeof this.body === "string" ? Buffer.from(this.body) : this.body;
  }

  get text(): string {
    return typeof this.body === "string" ? this.body : Buffer.from(this.body).toString();
  }

  /** As the body of a response. */
  get chunk(): SingleChunk {
    // Text of as many bytes as characters is ASCII.
    return new SingleChunk(typeof this.body === "string" && this.body.length === this.size ? this.body : this.bytes);
  }
}

/** How an error is answered. */
export interface RestError {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | Headers;
  /** Anything that `JSON.stringify` takes. */
  readonly body: unknown;
}

/** The content for anything that `JSON.stringify` takes. */
export function jsonContent(value: unknown): ResponseContent {
  return new ResponseContent(jsonMediaType, JSON.stringify(value) ?? "null");
}

/**
 * The answer with some content, compressed where that helps and the client takes it. To `HEAD`, its headers alone. To a
 * `GET` of an RPC without side effects with an `ETag`, and 304 if the client has the content already. No promise where
 * nothing is compressed.
 */
export function contentResponse(
  request: UniversalServerRequest,
  route: Route,
  status: number,
  header: Headers,
  content: ResponseContent,
): UniversalServerResponse | Promise<UniversalServerResponse> {
  const isCacheable =
    route.httpMethod === "GET" && route.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (isCacheable && status === 200) {
    const tag = setETag(content.body, header);
    const known = request.header.get("if-none-match");
    if (known !== null && matchesIfNoneMatch(known, tag)) {
      varyByEncoding(content.size, header);
      return { status: 304, header };
    }
  }
  return send(request, status, header, content);
}

/** The answer to an error. The headers that belong to a {@link GatewayError} are set whatever the hook returned. */
export function errorResponse(
  request: UniversalServerRequest,
  error: unknown,
  answer: RestError,
  content: ResponseContent,
  header: Headers,
): UniversalServerResponse | Promise<UniversalServerResponse> {
  for (const [name, value] of headerEntries(answer.headers)) {
    header.set(name, value);
  }
  if (error instanceof GatewayError) {
    for (const [name, value] of Object.entries(error.headers)) {
      header.set(name, value);
    }
  }
  return send(request, answer.status, header, content);
}

function send(
  request: UniversalServerRequest,
  status: number,
  header: Headers,
  content: ResponseContent,
): UniversalServerResponse | Promise<UniversalServerResponse> {
  varyByEncoding(content.size, header);
  const encoding = encodingFor(content.size, request.header, header);
  return encoding === undefined
    ? finish(request, status, header, content)
    : sendCompressed(request, status, header, content, encoding);
}

async function sendCompressed(
  request: UniversalServerRequest,
  status: number,
  header: Headers,
  content: ResponseContent,
  encoding: Encoding,
): Promise<UniversalServerResponse> {
  const smaller = await compress(content.bytes, encoding, 4);
  header.set("content-encoding", encoding);
  return finish(request, status, header, new ResponseContent(content.type, smaller));
}

function finish(
  { method }: UniversalServerRequest,
  status: number,
  header: Headers,
  content: ResponseContent,
): UniversalServerResponse {
  header.set("content-type", content.type);
  header.set("content-length", String(content.size));
  return method === "HEAD" ? { status, header } : { status, header, body: content.chunk };
}

function headerEntries(headers: RestError["headers"] = {}): Iterable<[string, string]> {
  return headers instanceof Headers ? headers : Object.entries(headers);
}
