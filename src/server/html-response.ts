import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { prefers } from "../rest/media-type.ts";

/** Whether a person reads the answer: a read whose `Accept` ranks HTML above JSON, as browsers' does (RFC 9110 §12.5.1). */
export function prefersHtml({ method, header }: UniversalServerRequest): boolean {
  return (method === "GET" || method === "HEAD") && prefers(header.get("accept"), "text/html", "application/json");
}

/** What a page may load: what this server serves, and nothing inline. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The answer with a page; to `HEAD`, its headers alone. */
export function htmlResponse(
  { method }: UniversalServerRequest,
  status: number,
  header: Headers,
  html: string,
): UniversalServerResponse {
  const bytes = Buffer.from(html);
  header.set("Content-Type", "text/html; charset=utf-8");
  header.set("Content-Length", String(bytes.length));
  header.set("Content-Security-Policy", contentSecurityPolicy);
  header.set("Referrer-Policy", "no-referrer");
  return method === "HEAD" ? { status, header } : { status, header, body: createAsyncIterable([bytes]) };
}
