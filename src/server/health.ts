import { writeJson } from "./json-page.ts";
import type { Page, PageOutcome } from "./request-handler.ts";

/** `/healthz`: the process runs. Says nothing of what it depends on: a restart would not mend that. */
export const livenessPage: Page = (_request, response) => {
  writeJson(response, 200, { status: "ok" });
  return "served";
};

/** `/readyz`: whether requests can be served now, which takes a database that answers. */
export function readinessPage(isReady: () => Promise<boolean>): Page {
  return async (_request, response): Promise<PageOutcome> => {
    const ready = await isReady();
    writeJson(response, ready ? 200 : 503, { status: ready ? "ok" : "unavailable" });
    return "served";
  };
}
