/** Who may read the metrics. What they are: `metrics` of `Contribution` in `capability.ts`. */
import { isLoopbackHost } from "../config/loopback-host.ts";
import { equalSecrets } from "../crypto/equal-secrets.ts";
import type { NodeRequest } from "./normalize-request.ts";
import type { Page } from "./request-handler.ts";

/** Who may read `/metrics`. */
export type MetricsReaders =
  /** Requests with this token as `Authorization: Bearer`. */
  | { readonly token: string }
  /** Requests from this machine. Only for a server that no other machine can reach. */
  | "this machine"
  | "nobody";

/** `/metrics`, for Prometheus. Requests that may not read it get the answer of an unknown path. */
export function metricsPage(contentType: string, readMetrics: () => Promise<string>, readers: MetricsReaders): Page {
  return async (request, response) => {
    const isAllowed =
      typeof readers === "object"
        ? equalSecrets(request.headers.authorization ?? "", `Bearer ${readers.token}`)
        : readers === "this machine" && isFromThisMachine(request);
    if (!isAllowed) {
      return "hidden";
    }
    response.statusCode = 200;
    response.setHeader("Content-Type", contentType);
    response.end(await readMetrics());
    return "served";
  };
}

/** Headers that proxies set. A request with one of them comes from elsewhere, whatever its socket says. */
const proxyHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/**
 * Whether a request was made deliberately on this machine: its socket is loopback, it names a loopback host (so that no other
 * site's page can have made a browser send it), and it did not come through a proxy.
 */
function isFromThisMachine(request: NodeRequest): boolean {
  const authority = request.headers[":authority"] ?? request.headers.host ?? "";
  if (typeof authority !== "string" || proxyHeaders.some((name) => request.headers[name] !== undefined)) {
    return false;
  }
  const remote = request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  const host = URL.canParse(`http://${authority}`) ? new URL(`http://${authority}`).hostname : "";
  return isLoopbackHost(remote) && isLoopbackHost(host.replace(/^\[|\]$/g, ""));
}
