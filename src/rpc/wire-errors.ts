import { create, type DescMethod } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { FieldViolations } from "@byond/rest/field-violations";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { type ErrorInfo, ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { AppError, type ErrorCode, errorKinds, invalidFields, withoutStack } from "../errors.ts";
import type { Logger } from "../observe/log.ts";
import { type RequestRecord, requestRecordKey } from "../observe/request-record.ts";

/** Turns whatever was thrown into what the client is told, and reports to the log what it must not be told. */
export interface ErrorReporter {
  /** The error for the client, noted in the call's record. What the operator should know of is logged, once a call. */
  toAppError(error: unknown, record: RequestRecord): AppError;
  /** The content of the error, the same on every protocol. */
  toErrorInfo(error: AppError, requestId: string): ErrorInfo;
}

/** `documentationUrl` is the address of the page that explains the codes, without the fragment. */
export function createErrorReporter(logger: Logger, documentationUrl: () => string): ErrorReporter {
  return {
    toAppError(error, record) {
      const appError = asAppError(error);
      const isNew = record.errorCode === undefined;
      record.errorCode = appError.code;
      record.rpcCode = appError.details.rpcCode ?? errorKinds[appError.code].rpcCode;
      // A client that waits no longer, or has left, is no failure of ours.
      const isOurs = appError.details.rpcCode !== Code.DeadlineExceeded && !hasClientLeft(error);
      if (isNew && isOurs && errorKinds[appError.code].httpStatus >= 500) {
        logger.error("call_failed", { request_id: record.requestId, code: appError.code, error });
      }
      return appError;
    },
    toErrorInfo(error, requestId) {
      const { requiredScope, fields, retryAfterSeconds, reason, spent, resetsAt } = error.details;
      return create(ErrorInfoSchema, {
        code: error.code,
        message: error.message,
        requestId,
        documentationUrl: `${documentationUrl()}#${error.code}`,
        ...(requiredScope === undefined ? {} : { requiredScope }),
        ...(fields === undefined ? {} : { fields }),
        ...(retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds }),
        ...(reason === undefined ? {} : { reason }),
        ...(spent === undefined ? {} : { spent }),
        ...(resetsAt === undefined ? {} : { resetsAt: timestampFromDate(resetsAt) }),
      });
    },
  };
}

/** Whether it is the reason of a request's signal: the client has cancelled the request, or its connection has closed. */
function hasClientLeft(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === Code.Canceled || error.code === Code.Aborted);
}

/** Gives every error of a call the form of the protocol: the matching code, and one `ErrorInfo` detail. */
export function createErrorInterceptor(reporter: ErrorReporter): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(
        request.stream ? { ...request, message: readableMessages(request.message, request.method) } : request,
      );
      if (!response.stream) {
        return response;
      }
      // A client that leaves in the midst of an answer, or waits no longer, is no failure of ours, whatever that made of it.
      const convertUnlessGone = (error: unknown) =>
        request.signal.aborted
          ? ConnectError.from(request.signal.reason, Code.Canceled)
          : toConnectError(reporter, error, request.contextValues);
      return { ...response, message: convertingErrors(response.message, convertUnlessGone) };
    } catch (error) {
      throw toConnectError(reporter, error, request.contextValues);
    }
  };
}

/** The same messages; what goes wrong between them is converted. */
async function* convertingErrors<T>(
  messages: AsyncIterable<T>,
  convert: (error: unknown) => unknown,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw convert(error);
  }
}

/**
 * The messages that a client streams. One that cannot be read is the client's fault, whatever Connect takes it for, and the
 * answer does not repeat what was sent.
 */
function readableMessages<T>(messages: AsyncIterable<T>, { input }: DescMethod): AsyncIterable<T> {
  return convertingErrors(messages, (cause) => {
    if (!(cause instanceof ConnectError) || (cause.code !== Code.Internal && cause.code !== Code.InvalidArgument)) {
      return cause;
    }
    // Connect has no other mark of it than its text.
    return cause.rawMessage.startsWith("received compressed envelope")
      ? unknownCompression("A message", cause)
      : new AppError("invalid_request", `A message cannot be read as ${input.typeName}.`, { cause });
  });
}

/** A message is flagged as compressed, and no header says how. That is "internal" over RPC (gRPC Compression, test case 6). */
export function unknownCompression(message: string, cause?: ConnectError): AppError {
  return new AppError("invalid_request", `${message} is flagged as compressed, and its encoding is not given.`, {
    rpcCode: Code.Internal,
    cause,
  });
}

/** The error as Connect's protocols send it. Errors that already are in that form pass. */
export function toConnectError(
  reporter: ErrorReporter,
  error: unknown,
  values: HandlerContext["values"],
): ConnectError {
  if (error instanceof ConnectError && error.findDetails(ErrorInfoSchema).length > 0) {
    return error;
  }
  const record = values.get(requestRecordKey);
  const appError = reporter.toAppError(error, record);
  const info = reporter.toErrorInfo(appError, record.requestId);
  const code = appError.details.rpcCode ?? errorKinds[appError.code].rpcCode;
  const details = [{ desc: ErrorInfoSchema, value: info }];
  return withoutStack(() => new ConnectError(appError.message, code, errorHeaders(appError), details, appError));
}

/** The `validation_error` of what was found: the listed fields by name, the rest as a count. */
export function violationsError({ listed, unlisted }: FieldViolations): AppError {
  return invalidFields(Object.fromEntries(listed.map(({ path, message }) => [path, message])), unlisted);
}

/** The headers that an error is sent with: how to authenticate, and when to try again. */
export function errorHeaders(error: AppError): Record<string, string> {
  const challenge = challengeOf(error);
  const seconds = error.details.retryAfterSeconds;
  return {
    ...(challenge === undefined ? {} : { "WWW-Authenticate": challenge }),
    ...(seconds === undefined ? {} : { "Retry-After": String(seconds) }),
  };
}

/** RFC 9110 §11.6.1: a 401 has a challenge. What it says of the credential that was sent is RFC 6750 §3.1. */
function challengeOf({ code, details }: AppError): string | undefined {
  const challenge = 'Bearer realm="Byond"';
  if (code === "insufficient_scope") {
    const scope = details.requiredScope === undefined ? "" : `, scope="${details.requiredScope}"`;
    return `${challenge}, error="insufficient_scope"${scope}`;
  }
  if (errorKinds[code].httpStatus !== 401) {
    return undefined;
  }
  return details.isTokenInvalid === true ? `${challenge}, error="invalid_token"` : challenge;
}

/**
 * What Connect itself refuses (a message that cannot be parsed, one that is too large) arrives as a `ConnectError`. It calls
 * "unimplemented" what has too many messages, or none, as gRPC does.
 */
const codeOfConnectCode: Partial<Record<Code, ErrorCode>> = {
  [Code.InvalidArgument]: "invalid_request",
  [Code.Unauthenticated]: "invalid_api_key",
  [Code.NotFound]: "not_found",
  [Code.ResourceExhausted]: "payload_too_large",
  [Code.Unimplemented]: "invalid_request",
  [Code.Unavailable]: "unavailable",
  [Code.Canceled]: "unavailable",
  [Code.DeadlineExceeded]: "unavailable",
};

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) {
    return error;
  }
  if (error instanceof ConnectError) {
    const code = codeOfConnectCode[error.code];
    if (code !== undefined) {
      const rpcCode = error.code === Code.Unimplemented ? { rpcCode: error.code } : {};
      return new AppError(code, error.rawMessage, { ...rpcCode, cause: error });
    }
  }
  return new AppError("internal", "The server failed to answer. Try again, and quote the request id if it persists.", {
    cause: error,
  });
}
