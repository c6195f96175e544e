import { isLoopbackHost } from "../config.ts";
import { writeJson } from "./json-page.ts";
import type { NodeRequest } from "./request-gate.ts";
import type { Page } from "./request-handler.ts";

/** Set by proxies; a request with one of them comes from elsewhere, whatever its socket says. */
const proxyHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * `/dev/inbox`: the messages that did not leave the server, newest first. It holds codes, so it answers nobody but this
 * machine: the request must name a loopback host (so that no page of another site can have a browser read it) and must
 * not have come through a proxy. Everybody else gets what an unknown path gets.
 */
export function inboxPage(listMessages: () => unknown): Page {
  return (request, response) => {
    if (!isFromThisMachine(request)) {
      return "hidden";
    }
    writeJson(response, 200, listMessages());
    return "served";
  };
}

function isFromThisMachine(request: NodeRequest): boolean {
  const authority = request.headers[":authority"] ?? request.headers.host ?? "";
  if (typeof authority !== "string" || proxyHeaders.some((name) => request.headers[name] !== undefined)) {
    return false;
  }
  const host = URL.canParse(`http://${authority}`) ? new URL(`http://${authority}`).hostname : "";
  return isLoopbackHost(host.replace(/^\[|\]$/g, ""));
}
