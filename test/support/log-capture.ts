import { createLogger, type Logger } from "../../src/observe/log.ts";

/** A logger that keeps its lines. */
export function captureLog(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    logger: createLogger((line) => lines.push(line)),
    lines,
  };
}
