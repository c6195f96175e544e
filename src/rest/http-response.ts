import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { compressed, varyByEncoding } from "./compression.ts";
import { matchesIfNoneMatch, setETag } from "./etag.ts";
import { GatewayError } from "./gateway-error.ts";
import type { Route } from "./route.ts";
import { SingleChunk } from "./single-chunk.ts";

export const jsonMediaType = "application/json";

/** JSON texts, one a line: what a stream is answered with by default. */
export const ndjsonMediaType = "application/x-ndjson";

/** The body of an answer, and its media type. */
export interface ResponseContent {
  readonly type: string;
  readonly bytes: Uint8Array;
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
  return { type: jsonMediaType, bytes: Buffer.from(JSON.stringify(value) ?? "null") };
}

/**
 * The answer with some content, compressed where that helps and the client takes it. To `HEAD`, its headers alone. To a
 * `GET` of an RPC without side effects with an `ETag`, and 304 if the client has the content already.
 */
export async function contentResponse(
  request: UniversalServerRequest,
  route: Route,
  status: number,
  header: Headers,
  content: ResponseContent,
): Promise<UniversalServerResponse> {
  const isCacheable =
    route.httpMethod === "GET" && route.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (
    isCacheable &&
    status === 200 &&
    matchesIfNoneMatch(request.header.get("if-none-match") ?? "", setETag(content.bytes, header))
  ) {
    varyByEncoding(content.bytes, header);
    return { status: 304, header };
  }
  return send(request, status, header, content);
}

/** The answer to an error. The headers that belong to a {@link GatewayError} are set whatever the hook returned. */
export async function errorResponse(
  request: UniversalServerRequest,
  error: unknown,
  answer: RestError,
  content: ResponseContent,
  header: Headers,
): Promise<UniversalServerResponse> {
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

async function send(
  request: UniversalServerRequest,
  status: number,
  header: Headers,
  content: ResponseContent,
): Promise<UniversalServerResponse> {
  varyByEncoding(content.bytes, header);
  const bytes = await compressed(content.bytes, request.header, header);
  header.set("content-type", content.type);
  header.set("content-length", String(bytes.length));
  return request.method === "HEAD" ? { status, header } : { status, header, body: new SingleChunk(bytes) };
}

function headerEntries(headers: RestError["headers"] = {}): Iterable<[string, string]> {
  return headers instanceof Headers ? headers : Object.entries(headers);
}
