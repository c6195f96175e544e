import { prefers } from "@byond/rest/media-type";
import { SingleChunk } from "@byond/rest/single-chunk";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";

/** Whether a person will read the answer: a GET or HEAD whose `Accept` ranks HTML above JSON, as browsers do (RFC 9110 §12.5.1). */
export function prefersHtml({ method, header }: UniversalServerRequest): boolean {
  return (method === "GET" || method === "HEAD") && prefers(header.get("accept"), "text/html", "application/json");
}

/** Pages may only load files of this server, and nothing inline. */
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

/** Of a page that holds secrets: they keep it out of caches, other pages, frames and Referer. Programs get JSON. */
export const privatePageHeaders = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  Vary: "Accept",
} as const;

/** A response with a page. For `HEAD`, its headers only. */
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
  return method === "HEAD" ? { status, header } : { status, header, body: new SingleChunk(bytes) };
}
