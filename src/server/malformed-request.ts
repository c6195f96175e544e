import { AppError } from "../errors.ts";
import { createId } from "../ids.ts";
import type { Logger } from "../log.ts";
import type { ErrorReporter } from "../rpc/errors.ts";
import type { RequestRecord } from "../rpc/request-record.ts";
import { restErrorAnswer } from "../rpc/rest-errors.ts";
import type { NodeResponse } from "./request-gate.ts";

/** How requests are refused that are not well-formed HTTP: in the house's form, like every other. */
export interface MalformedRequests {
  /** Answers 400 to a request that could be parsed at least. */
  refuse(response: NodeResponse, reason: string): void;
  /** The body of a refusal that is written straight to a connection. */
  body(reason: string): string;
}

export function createMalformedRequests(errors: ErrorReporter, logger: Logger): MalformedRequests {
  const answerTo = (reason: string) => {
    const record: RequestRecord = {
      requestId: createId("req"),
      route: undefined,
      keyPrefix: undefined,
      errorCode: undefined,
    };
    // The request itself is not logged: what is malformed may hold anything.
    logger.info("malformed request", { request_id: record.requestId, reason });
    const { status, body } = restErrorAnswer(errors, new AppError("invalid_request", reason), record);
    return { requestId: record.requestId, status, body: `${JSON.stringify(body)}\n` };
  };
  return {
    refuse(response, reason) {
      const { requestId, status, body } = answerTo(reason);
      response.statusCode = status;
      response.setHeader("X-Request-Id", requestId);
      response.setHeader("Content-Type", "application/json");
      response.end(body);
    },
    body: (reason) => answerTo(reason).body,
  };
}
