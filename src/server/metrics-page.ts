import { createHash, timingSafeEqual } from "node:crypto";
import { formatMetrics, type Metric } from "../metrics.ts";
import { isFromThisMachine } from "./local-request.ts";
import type { NodeRequest } from "./request-gate.ts";
import type { Page } from "./request-handler.ts";

/**
 * `/metrics`, for Prometheus. With a token, whoever presents it as `Authorization: Bearer` may read; without one, only this
 * machine may. Everybody else gets what an unknown path gets.
 */
export function metricsPage(collect: () => readonly Metric[], token: string | undefined): Page {
  return (request, response) => {
    if (token === undefined ? !isFromThisMachine(request) : !presents(request, token)) {
      return "hidden";
    }
    response.statusCode = 200;
    response.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(formatMetrics(collect()));
    return "served";
  };
}

function presents(request: NodeRequest, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${token}`));
}
