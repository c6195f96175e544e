/** Who may read the metrics. What they are: `metrics` of `Contribution` in `capability.ts`. */
import type { Registry } from "prom-client";
import { equalSecrets } from "../crypto/equal-secrets.ts";
import { isFromThisMachine } from "./local-request.ts";
import type { Page } from "./request-handler.ts";

/** Who may read `/metrics`. */
export type MetricsReaders =
  /** Whoever presents the token as `Authorization: Bearer`. */
  | { readonly token: string }
  /** This machine. Only for a server that no other machine can reach. */
  | "this machine"
  | "nobody";

/** `/metrics`, for Prometheus. Everybody who may not read it gets what an unknown path gets. */
export function metricsPage(metrics: Registry, readers: MetricsReaders): Page {
  return async (request, response) => {
    const isAllowed =
      typeof readers === "object"
        ? equalSecrets(request.headers.authorization ?? "", `Bearer ${readers.token}`)
        : readers === "this machine" && isFromThisMachine(request);
    if (!isAllowed) {
      return "hidden";
    }
    response.statusCode = 200;
    response.setHeader("Content-Type", metrics.contentType);
    response.end(await metrics.metrics());
    return "served";
  };
}
