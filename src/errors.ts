import { Code } from "@connectrpc/connect";

/** The machine-readable codes that clients branch on. */
export type ErrorCode =
  | "invalid_request"
  | "unknown_version"
  | "invalid_api_key"
  | "signature_invalid"
  | "invalid_password"
  | "insufficient_balance"
  | "insufficient_scope"
  | "ip_not_allowed"
  | "origin_not_allowed"
  | "secret_key_required"
  | "email_not_verified"
  | "recipient_blocked"
  | "spend_cap_reached"
  | "not_found"
  | "method_not_allowed"
  | "not_acceptable"
  | "idempotency_in_progress"
  | "already_exists"
  | "send_limit_reached"
  | "limit_reached"
  | "payload_too_large"
  | "unsupported_media_type"
  | "validation_error"
  | "undeliverable"
  | "idempotency_key_reused"
  | "rate_limited"
  | "internal"
  | "unavailable"
  | "outcome_unknown";

/** Why the fraud guard refuses a send, as errors, events and reports name it. */
export type GuardReason =
  | "premium_rate"
  | "shared_cost"
  | "invalid_number"
  | "country_not_allowed"
  | "range_blocked"
  | "vetoed"
  | "country_limit"
  | "range_limit";

interface ErrorKind {
  readonly httpStatus: number;
  readonly rpcCode: Code;
}

/** The HTTP status and RPC code of every error code. A new error is a row here. */
export const errorKinds = {
  invalid_request: { httpStatus: 400, rpcCode: Code.InvalidArgument },
  unknown_version: { httpStatus: 400, rpcCode: Code.InvalidArgument },
  invalid_api_key: { httpStatus: 401, rpcCode: Code.Unauthenticated },
  signature_invalid: { httpStatus: 401, rpcCode: Code.Unauthenticated },
  invalid_password: { httpStatus: 401, rpcCode: Code.Unauthenticated },
  insufficient_balance: { httpStatus: 402, rpcCode: Code.FailedPrecondition },
  insufficient_scope: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  ip_not_allowed: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  origin_not_allowed: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  secret_key_required: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  email_not_verified: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  recipient_blocked: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  spend_cap_reached: { httpStatus: 403, rpcCode: Code.PermissionDenied },
  not_found: { httpStatus: 404, rpcCode: Code.NotFound },
  method_not_allowed: { httpStatus: 405, rpcCode: Code.Unimplemented },
  not_acceptable: { httpStatus: 406, rpcCode: Code.InvalidArgument },
  idempotency_in_progress: { httpStatus: 409, rpcCode: Code.Aborted },
  already_exists: { httpStatus: 409, rpcCode: Code.AlreadyExists },
  send_limit_reached: { httpStatus: 409, rpcCode: Code.FailedPrecondition },
  limit_reached: { httpStatus: 409, rpcCode: Code.FailedPrecondition },
  payload_too_large: { httpStatus: 413, rpcCode: Code.ResourceExhausted },
  unsupported_media_type: { httpStatus: 415, rpcCode: Code.InvalidArgument },
  validation_error: { httpStatus: 422, rpcCode: Code.InvalidArgument },
  undeliverable: { httpStatus: 422, rpcCode: Code.FailedPrecondition },
  idempotency_key_reused: { httpStatus: 422, rpcCode: Code.InvalidArgument },
  rate_limited: { httpStatus: 429, rpcCode: Code.ResourceExhausted },
  internal: { httpStatus: 500, rpcCode: Code.Internal },
  unavailable: { httpStatus: 503, rpcCode: Code.Unavailable },
  outcome_unknown: { httpStatus: 504, rpcCode: Code.Unknown },
} as const satisfies Record<ErrorCode, ErrorKind>;

/** What some errors carry in addition to code and message. */
export interface ErrorDetails {
  /** With `insufficient_scope`: the scope that the key lacks. */
  readonly requiredScope?: string;
  /** With `validation_error`: what is wrong, by field path. */
  readonly fields?: Readonly<Record<string, string>>;
  /** With `rate_limited` and `unavailable`: how long to wait before repeating the call. At least 1. */
  readonly retryAfterSeconds?: number;
  /** With what the fraud guard refuses: its reason. */
  readonly reason?: GuardReason;
  /** With `spend_cap_reached`: what was spent, as a decimal number. */
  readonly spent?: string;
  /** With `spend_cap_reached`: when the next period begins. */
  readonly resetsAt?: Date;
  /** With `invalid_api_key`: the request has a credential of the right kind, but it is not valid. */
  readonly isTokenInvalid?: boolean;
  /** Replaces the table's RPC code where the protocols prescribe another one. */
  readonly rpcCode?: Code;
  /** For the log only: never sent to the client. */
  readonly cause?: unknown;
}

/**
 * An error that the client receives, on every protocol. The message is written for the client; put what only the operator
 * should read into `cause`.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    // The stack of an error that the client caused is never read, and takes as long as the rest of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = errorKinds[code].httpStatus < 500 ? 0 : stackTraceLimit;
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.details = details;
  }
}

/** Makes an error whose stack nobody reads: it is that of its cause. */
export function withoutStack<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** A `validation_error` that names one field or several. `unlisted` is the number of problems that are not listed. */
export function invalidFields(fields: Readonly<Record<string, string>>, unlisted = 0): AppError {
  const message =
    unlisted === 0
      ? "One or more fields are invalid."
      : `One or more fields are invalid. ${Object.keys(fields).length} are listed, ${unlisted} more are not.`;
  return new AppError("validation_error", message, { fields });
}

/** The error for a recipient that cannot receive messages of the channel. The reason is in our words, and begins with a small letter. */
export function recipientUndeliverable(reason: string): AppError {
  return new AppError("undeliverable", `Messages to this recipient cannot be delivered on this channel: ${reason}.`);
}

/** Whether a send was refused because nothing can be delivered to the recipient on the channel. */
export function isUndeliverable(error: unknown): boolean {
  return error instanceof AppError && error.code === "undeliverable";
}

/** The problem of a field as an entry of `fields`; empty if there is none. */
export function problemOf(field: string, problem: string | undefined): Record<string, string> {
  return problem === undefined ? {} : { [field]: problem };
}

/** The error for a call that missed the client's deadline. Nothing was done. */
export function deadlineExceeded(): AppError {
  return new AppError("unavailable", "The deadline of the request expired before anything was done.", {
    retryAfterSeconds: 1,
    rpcCode: Code.DeadlineExceeded,
  });
}

/** The error for an unknown or revoked key. */
export function keyRefused(cause?: unknown): AppError {
  return new AppError("invalid_api_key", "The provided API key is invalid or revoked.", {
    isTokenInvalid: true,
    cause,
  });
}

/** The error for an unknown or ended session. */
export function sessionRefused(cause?: unknown): AppError {
  return new AppError("invalid_api_key", "The provided access token is invalid or expired.", {
    isTokenInvalid: true,
    cause,
  });
}
