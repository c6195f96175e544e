import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import type { Http2Request } from "./http2-request.ts";
import type { Http2Response } from "./http2-response.ts";
import { findAuthorityFault, findTargetFault, readAbsoluteForm } from "./request-target.ts";

export type NodeRequest = IncomingMessage | Http2Request;
export type NodeResponse = ServerResponse | Http2Response;

/** The maximum size of all headers of a request together, its target included. */
export const HEADER_BYTES_MAX = 16 * 1024;
export const HEADERS_MAX = 128;

/** CONNECT asks for a tunnel, which only a proxy offers. */
const METHODS_KNOWN = new Set(METHODS.filter((method) => method !== "CONNECT"));

/** A host that cannot exist (RFC 2606): a request without a host is never taken for one to a real host. */
const UNNAMED_HOST = "host.invalid";

/**
 * Returns what is malformed about a request, as a message for the client. Undefined for a well-formed one, which is guaranteed
 * to have one authority and a path as its target (or `*`, for OPTIONS); `new URL(target, "http://" + authority)` succeeds and
 * keeps both.
 *
 * Rewrites HTTP/1 requests of other forms that must be served: a target in absolute form, whose host replaces the header's (RFC
 * 9112 §3.2.2), an empty `Host` (§3.2), and HTTP/1.0 without one.
 */
export function normalizeRequest(request: NodeRequest): string | undefined {
  const { host, hasOtherHost, repeated } = readSingleHeaders(request);
  // Node's HTTP/1 parser also accepts the versions 0.9 and 2.0.
  if (!("stream" in request) && request.httpVersionMajor !== 1) return "The version of HTTP is not supported.";
  if (host === undefined && request.httpVersion !== "1.0") return "The Host header is missing.";
  if (hasOtherHost) return "There is more than one host.";
  if (repeated !== undefined) return `There is more than one ${repeated} header.`;
  if (hasUnknownLength(request)) return "The Transfer-Encoding does not tell where the body ends.";
  const sent = { authority: host === undefined || host === "" ? UNNAMED_HOST : host, target: request.url ?? "" };
  const isAbsolute = request.httpVersionMajor === 1 && !sent.target.startsWith("/");
  const absolute = isAbsolute ? readAbsoluteForm(sent.target, request.method ?? "") : undefined;
  const { authority, target } = absolute ?? sent;
  const isForServer = target === "*" && request.method === "OPTIONS";
  const fault =
    findAuthorityFault(sent.authority) ??
    (absolute && findAuthorityFault(authority)) ??
    (isForServer ? undefined : findTargetFault(target));
  if (fault === undefined && authority !== host) request.headers.host = authority;
  if (fault === undefined && absolute !== undefined) request.url = target;
  return fault;
}

/** Whether HTTP does not know the method: 501 (RFC 9110 §9.1). */
export function hasUnknownMethod({ method }: NodeRequest): boolean {
  return method === undefined || !METHODS_KNOWN.has(method);
}

/** Whether the body has a transfer coding besides chunked: none is supported, 501 (RFC 9112 §6.1). */
export function hasUnknownTransferCoding(request: NodeRequest): boolean {
  const codings = readTransferCodings(request);
  return codings.length > 1 && codings.at(-1) === "chunked";
}

/** Whether only the end of the connection would end the body (RFC 9112 §6.3). HTTP/1.0 has no chunked coding (§6.1). */
function hasUnknownLength(request: NodeRequest): boolean {
  const codings = readTransferCodings(request);
  return codings.length > 0 && (codings.at(-1) !== "chunked" || request.httpVersion === "1.0");
}

const noCodings: readonly string[] = [];

function readTransferCodings({ headers }: NodeRequest): readonly string[] {
  const text = headers["transfer-encoding"];
  if (text === undefined) return noCodings;
  return text.split(",").flatMap((name) => name.trim().toLowerCase() || []);
}

/** Whether the headers are too many or too long: 431. */
export function hasExcessiveHeaders(request: NodeRequest): boolean {
  const { rawHeaders } = request;
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return rawHeaders.length > 2 * HEADERS_MAX || bytes > HEADER_BYTES_MAX;
}

/** The headers that a request must not have twice. Node keeps the first of them. A proxy in front may have used the last. */
interface SingleHeaders {
  readonly host: string | undefined;
  readonly hasOtherHost: boolean;
  /** The one that has different values, if one has: `Authorization` or `Content-Type`. */
  readonly repeated: string | undefined;
}

/** Reads them in one pass: it runs for each request. The length of a name tells most headers apart. */
function readSingleHeaders(request: NodeRequest): SingleHeaders {
  const { rawHeaders } = request;
  // Over HTTP/2, proxies may send the host in both fields (RFC 9113 §8.3.1).
  const mayRepeatHost = request.httpVersionMajor === 2;
  let host: string | undefined;
  let authorization: string | undefined;
  let contentType: string | undefined;
  let hasOtherHost = false;
  let hasOtherAuthorization = false;
  let hasOtherContentType = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    if (isName(name, "host") || isName(name, ":authority")) {
      hasOtherHost ||= host !== undefined && !(mayRepeatHost && host === value);
      host ??= value;
    } else if (isName(name, "authorization")) {
      hasOtherAuthorization ||= authorization !== undefined && authorization !== value;
      authorization ??= value;
    } else if (isName(name, "content-type")) {
      hasOtherContentType ||= contentType !== undefined && contentType !== value;
      contentType ??= value;
    }
  }
  const repeated = hasOtherAuthorization ? "Authorization" : hasOtherContentType ? "Content-Type" : undefined;
  return { host, hasOtherHost, repeated };
}

function isName(sent: string, name: string): boolean {
  return sent.length === name.length && sent.toLowerCase() === name;
}
