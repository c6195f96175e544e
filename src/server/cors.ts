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
  /** The headers of an answer to a request with this `Origin`. */
  headersFor(origin: string | undefined): Readonly<Record<string, string>>;
}

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
 * even `any` only allows what a script outside a browser can do anyway.
 */
export function createCors(origins: CorsOrigins): Cors {
  if (origins.length === 0) {
    return { allow: (handler) => handler, headersFor: () => ({}) };
  }
  const allowedOrigin = (origin: string) => (origins === "any" ? "*" : origins.includes(origin) ? origin : undefined);

  function headersFor(origin: string | undefined): Record<string, string> {
    const allowed = origin === undefined ? undefined : allowedOrigin(origin);
    return allowed === undefined
      ? { Vary: "Origin" }
      : { Vary: "Origin", "Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": responseHeaders };
  }

  function answerPreflight({ header, contextValues }: UniversalServerRequest): UniversalServerResponse | undefined {
    const origin = header.get("origin");
    const allowed = origin === null ? undefined : allowedOrigin(origin);
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
      const answer = await handler(request);
      const header = new Headers(answer.header);
      for (const [name, value] of Object.entries(headersFor(request.header.get("origin") ?? undefined))) {
        header.append(name, value);
      }
      return { ...answer, header };
    },
  };
}
