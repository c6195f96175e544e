import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { findAuthorityFault, findTargetFault } from "./request-target.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** For all headers of a request together, its target included. */
export const HEADER_BYTES_MAX = 16 * 1024;
export const HEADERS_MAX = 128;

/** CONNECT asks for a tunnel, which makes sense for a proxy only. */
const METHODS_KNOWN = new Set(METHODS.filter((method) => method !== "CONNECT"));

/**
 * Says what makes a request one that nobody can be expected to handle, in words for the client; undefined for a well-formed
 * one, of which this is promised: the method is one that HTTP knows, there is one authority, and
 * `new URL(target, "http://" + authority)` succeeds and keeps both.
 */
export function findRequestFault(request: NodeRequest): string | undefined {
  if (request.method === undefined || !METHODS_KNOWN.has(request.method)) return "The request method is not known.";
  const hosts = readAuthorities(request);
  const [authority] = hosts;
  if (authority === undefined) return "The Host header is missing.";
  if (hosts.length > 1) return "There is more than one host.";
  return findAuthorityFault(authority) ?? findTargetFault(request.url ?? "");
}

/** Whether the headers are more, or longer, than anybody needs: 431. */
export function hasExcessiveHeaders(request: NodeRequest): boolean {
  const bytes = request.rawHeaders.reduce((sum, text) => sum + text.length, 0);
  return request.rawHeaders.length > 2 * HEADERS_MAX || bytes > HEADER_BYTES_MAX;
}

/** Every host that the request names, not only the first: whoever forwarded it may have gone by another one. */
function readAuthorities(request: NodeRequest): readonly string[] {
  const hosts: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase();
    if (name === "host" || name === ":authority") hosts.push(request.rawHeaders[index + 1] ?? "");
  }
  // Over HTTP/2, proxies send the same host both ways: RFC 9113 §8.3.1.
  return request.httpVersionMajor === 2 ? [...new Set(hosts)] : hosts;
}
