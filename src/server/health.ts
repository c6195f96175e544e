import { type DatabaseReadiness, isReady } from "../database/readiness.ts";
import type { NodeResponse } from "./normalize-request.ts";
import type { Page, PageOutcome } from "./request-handler.ts";

/** `/healthz`: the process runs. It does not check the database: a restart would not fix that. */
export const livenessPage: Page = (_request, response) => {
  writeJson(response, 200, { status: "ok" });
  return "served";
};

/** `/readyz`: whether to send requests here. The database must answer and be writable, and the server must not be stopping. */
export function readinessPage(readiness: Pick<DatabaseReadiness, "state">, draining: AbortSignal): Page {
  return async (_request, response): Promise<PageOutcome> => {
    if (draining.aborted) {
      writeJson(response, 503, { status: "stopping" });
      return "served";
    }
    const state = await readiness.state();
    writeJson(response, isReady(state) ? 200 : 503, { status: state });
    return "served";
  };
}

function writeJson(response: NodeResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Cache-Control", "no-store");
  response.end(`${JSON.stringify(body)}\n`);
}
