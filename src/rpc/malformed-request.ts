import { createId } from "../crypto/ids.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../observe/log.ts";
import type { RequestRecord } from "../observe/request-record.ts";
import type { Cors } from "../server/cors.ts";
import type { NodeResponse } from "../server/normalize-request.ts";
import type { RefusalContent } from "../server/refuse-on-socket.ts";
import { currentApiVersion } from "./api-versions.ts";
import { restErrorAnswer } from "./rest-errors.ts";
import type { ErrorReporter } from "./wire-errors.ts";

/** Refuses requests that are not well-formed HTTP, with the API's error body. */
export interface MalformedRequests {
  /** Answers 400 to a request that could at least be parsed. */
  refuse(response: NodeResponse, reason: string): void;
  /** The content of a refusal that is written directly to a socket. `origin` is the request's `Origin` header. */
  content(reason: string, origin: string | undefined): RefusalContent;
}

export function createMalformedRequests(
  errors: ErrorReporter,
  logger: Logger,
  cors: Pick<Cors, "headersFor">,
): MalformedRequests {
  const answerTo = (reason: string, origin: string | undefined) => {
    const record: RequestRecord = {
      requestId: createId("req"),
      route: undefined,
      key: undefined,
      errorCode: undefined,
      rpcCode: undefined,
    };
    // The request itself is not logged: it may contain anything.
    logger.info("malformed_request", { request_id: record.requestId, reason });
    const { status, body } = restErrorAnswer(errors, new AppError("invalid_request", reason), record);
    const headers = {
      "X-Request-Id": record.requestId,
      "Byond-Version": currentApiVersion,
      "Content-Type": "application/json",
      ...cors.headersFor(origin),
    };
    return { status, headers, body: `${JSON.stringify(body)}\n` };
  };
  return {
    refuse(response, reason) {
      const { status, headers, body } = answerTo(reason, response.req.headers.origin);
      response.statusCode = status;
      for (const [name, value] of Object.entries(headers)) {
        response.setHeader(name, value);
      }
      response.end(body);
    },
    content: answerTo,
  };
}
