import { GatewayError, type GatewayErrorKind } from "@byond/rest/gateway-error";
import { formatTimestamp } from "@byond/rest/json/timestamp";
import { ConnectError } from "@connectrpc/connect";
import { AppError, type ErrorCode, errorKinds } from "../errors.ts";
import type { RequestRecord } from "../observe/request-record.ts";
import { type ErrorReporter, errorHeaders, violationsError } from "./wire-errors.ts";

/** The response to a failed REST call. */
export interface RestErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: { readonly code: string; readonly message: string; readonly [name: string]: unknown };
  };
}

const codeOfKind = {
  "malformed-target": "invalid_request",
  "malformed-header": "invalid_request",
  "malformed-body": "invalid_request",
  "not-found": "not_found",
  "method-not-allowed": "method_not_allowed",
  "not-acceptable": "not_acceptable",
  "payload-too-large": "payload_too_large",
  "unsupported-media-type": "unsupported_media_type",
  "invalid-fields": "validation_error",
} as const satisfies Record<GatewayErrorKind, ErrorCode>;

/**
 * Turns the error of a REST call into status, headers and the documented body. `bodyField`: the field of the request message
 * that is the whole HTTP body. The client never wrote its name, so it is left out of the problems' paths.
 */
export function restErrorAnswer(
  reporter: ErrorReporter,
  thrown: unknown,
  record: RequestRecord,
  bodyField?: string,
): RestErrorAnswer {
  const error = reporter.toAppError(unwrap(thrown), record);
  const info = reporter.toErrorInfo(error, record.requestId);
  return {
    status: errorKinds[error.code].httpStatus,
    headers: errorHeaders(error),
    body: {
      error: {
        code: info.code,
        message: info.message,
        request_id: info.requestId,
        documentation_url: info.documentationUrl,
        ...(error.details.requiredScope === undefined ? {} : { required_scope: error.details.requiredScope }),
        ...(error.details.fields === undefined ? {} : { fields: asWritten(error.details.fields, bodyField) }),
        ...(error.details.retryAfterSeconds === undefined ? {} : { retry_after: error.details.retryAfterSeconds }),
        ...(error.details.reason === undefined ? {} : { reason: error.details.reason }),
        ...(error.details.spent === undefined ? {} : { spent: error.details.spent }),
        ...(info.resetsAt === undefined ? {} : { resets_at: formatTimestamp(info.resetsAt.seconds, 0, true) }),
      },
    },
  };
}

/** The problems by the field names that the client wrote. */
function asWritten(fields: Readonly<Record<string, string>>, bodyField: string | undefined): Record<string, string> {
  const prefix = `${bodyField}.`;
  return Object.fromEntries(
    Object.entries(fields).map(([path, problem]) => [
      bodyField !== undefined && path.startsWith(prefix) ? path.slice(prefix.length) : path,
      problem,
    ]),
  );
}

/** The chain throws Connect's errors with ours as the cause. The gateway throws errors of its own. */
function unwrap(thrown: unknown): unknown {
  const error = thrown instanceof ConnectError && thrown.cause !== undefined ? thrown.cause : thrown;
  if (!(error instanceof GatewayError)) {
    return error;
  }
  if (error.kind === "invalid-fields") {
    return violationsError(error.violations);
  }
  return new AppError(codeOfKind[error.kind], error.message, { cause: error });
}
