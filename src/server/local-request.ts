import { isLoopbackHost } from "../config/loopback-host.ts";
import type { NodeRequest } from "./request-gate.ts";

/** Set by proxies; a request with one of them comes from elsewhere, whatever its socket says. */
const proxyHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * Whether a request was made on this machine, by somebody who knows it: the socket is a loopback one, the request names a
 * loopback host (so that no page of another site can have a browser make it) and did not come through a proxy.
 */
export function isFromThisMachine(request: NodeRequest): boolean {
  const authority = request.headers[":authority"] ?? request.headers.host ?? "";
  if (typeof authority !== "string" || proxyHeaders.some((name) => request.headers[name] !== undefined)) {
    return false;
  }
  const remote = request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  const host = URL.canParse(`http://${authority}`) ? new URL(`http://${authority}`).hostname : "";
  return isLoopbackHost(remote) && isLoopbackHost(host.replace(/^\[|\]$/g, ""));
}
