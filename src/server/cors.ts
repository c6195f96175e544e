import { cors as connectCors } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { requestRecordKey } from "../observe/request-record.ts";
import type { CallHandler } from "./request-handler.ts";

/** The origins whose pages may call the API, as browsers send them. */
export type CorsOrigins = readonly string[] | "any";

/** Lets pages of other origins call the API (CORS, Fetch §3.2). */
export interface Cors {
  /** Wraps a handler: answers preflights, and lets the pages read its answers. */
  allow(handler: CallHandler): CallHandler;
  /** The headers of an answer to a request with this `Origin`. `path`: of the request, without the query, if it could be read. */
  headersFor(origin: string | undefined, path?: string): Readonly<Record<string, string>>;
}

/** Whether pages of every origin may call a path: those of the calls that a publishable key may make. */
export type IsForPages = (path: string) => boolean;

const methods = "DELETE, GET, HEAD, PATCH, POST, PUT";

const requestHeaders = [
  ...connectCors.allowedHeaders,
  "Authorization",
  "Byond-Envelope",
  "Byond-Mode",
  "Byond-Signature",
  "Byond-Version",
  "Content-Encoding",
  "Idempotency-Key",
  "If-None-Match",
  "Last-Event-ID",
  "Request-Timeout",
  "X-API-Key",
  "X-Request-Id",
  // Tracing in browsers adds these by itself (W3C Trace Context, W3C Baggage).
  "baggage",
  "traceparent",
  "tracestate",
].join(", ");

const responseHeaders = [
  ...connectCors.exposedHeaders,
  "Accept",
  "Accept-Encoding",
  "Accept-Post",
  "Allow",
  "Byond-Version",
  "Byond-Version-Deprecated",
  "Connect-Accept-Encoding",
  "ETag",
  "Grpc-Accept-Encoding",
  "Idempotent-Replayed",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Sunset",
  "WWW-Authenticate",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "X-Request-Id",
].join(", ");

/** Chromium's maximum: two hours. */
const maxAgeSeconds = "7200";

/**
 * `Access-Control-Allow-Credentials` is never sent, and `Byond-Session` is never allowed, without which a cookie is no credential. So
 * even `any` only allows what a script outside a browser can do anyway. A preflight carries no key, so those for pages with a publishable key are answered to
 * all of them; which pages may make the call, the key says (`access/publishable-keys.ts`).
 */
export function createCors(origins: CorsOrigins, isForPages: IsForPages = () => false): Cors {
  const allowedOrigin = (origin: string, path: string | undefined) => {
    if (origins === "any" || (path !== undefined && isForPages(path))) {
      return "*";
    }
    return origins.includes(origin) ? origin : undefined;
  };

  function headersFor(origin: string | undefined, path?: string): Record<string, string> {
    const allowed = origin === undefined ? undefined : allowedOrigin(origin, path);
    if (allowed === undefined && origins.length === 0) {
      return {};
    }
    return allowed === undefined
      ? { Vary: "Origin" }
      : { Vary: "Origin", "Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": responseHeaders };
  }

  function answerPreflight({
    header,
    url,
    contextValues,
  }: UniversalServerRequest): UniversalServerResponse | undefined {
    const origin = header.get("origin");
    const allowed = origin === null ? undefined : allowedOrigin(origin, pathOf(url));
    if (origin === null || allowed === undefined || !header.has("access-control-request-method")) {
      return undefined;
    }
    if (contextValues !== undefined) {
      contextValues.get(requestRecordKey).route = "preflight";
    }
    return {
      status: 204,
      header: new Headers({
        Vary: "Origin",
        "Access-Control-Allow-Origin": allowed,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": requestHeaders,
        "Access-Control-Max-Age": maxAgeSeconds,
      }),
    };
  }

  return {
    headersFor,
    allow: (handler) => async (request) => {
      const preflight = request.method === "OPTIONS" ? answerPreflight(request) : undefined;
      if (preflight !== undefined) {
        return preflight;
      }
      const origin = request.header.get("origin") ?? undefined;
      const answer = await handler(request);
      if (origin === undefined && origins.length === 0) {
        return answer;
      }
      const header = new Headers(answer.header);
      for (const [name, value] of Object.entries(headersFor(origin, pathOf(request.url)))) {
        header.append(name, value);
      }
      return { ...answer, header };
    },
  };
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}
