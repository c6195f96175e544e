import type { NodeResponse } from "./request-gate.ts";

/** Answers with JSON. */
export function writeJson(response: NodeResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Cache-Control", "no-store");
  response.end(`${JSON.stringify(body)}\n`);
}
