import { isObject, type Json } from "./converters.ts";
import type { ErrorCode, GuardReason } from "./generated/types.ts";

/**
 * A code of an error that the SDK itself reports:
 *
 * - `connection_failed`: the server was not reached, or the connection was lost;
 * - `timed_out`: the deadline of the call passed;
 * - `invalid_response`: what answered is not the API, but perhaps a proxy in front of it;
 * - `webhook_signature_invalid`: a webhook was not signed with this secret, or not as it arrived;
 * - `webhook_signature_expired`: a webhook was signed too long ago, or the clocks differ.
 */
export type ClientErrorCode =
  | "connection_failed"
  | "timed_out"
  | "invalid_response"
  | "webhook_signature_invalid"
  | "webhook_signature_expired";

/** Any code. Newer servers may have codes that this version does not know. */
export type ByondErrorCode = ErrorCode | ClientErrorCode | (string & {});

/** What a `ByondError` is made of: see its members. */
export type ByondErrorDetails = Pick<ByondError, "code"> &
  Partial<
    Pick<
      ByondError,
      | "status"
      | "requestId"
      | "retryAfter"
      | "fields"
      | "requiredScope"
      | "reason"
      | "spent"
      | "resetsAt"
      | "documentationUrl"
    >
  >;

/**
 * The error of a call that failed, whether the server refused it or it never got there.
 *
 * @example
 * ```ts
 * try {
 *   await byond.verify.start({ channel: "email", recipient });
 * } catch (error) {
 *   if (error instanceof ByondError && error.code === "rate_limited") {
 *     return tryAgainIn(error.retryAfter);
 *   }
 *   throw error;
 * }
 * ```
 */
export class ByondError extends Error {
  /** Always `ByondError`. */
  override readonly name = "ByondError";
  /** What went wrong. Branch on it, never on the message. */
  readonly code: ByondErrorCode;
  /** The HTTP status. Undefined if there was no answer, and over gRPC. */
  readonly status: number | undefined;
  /** The id of the request. Quote it when asking for support. */
  readonly requestId: string | undefined;
  /** With `rate_limited` and `unavailable`: the seconds to wait before the call is repeated. */
  readonly retryAfter: number | undefined;
  /** With `validation_error`: what is wrong, by the name that the field has in the API. */
  readonly fields: Readonly<Record<string, string>> | undefined;
  /** With `insufficient_scope`: the scope that the key lacks. */
  readonly requiredScope: string | undefined;
  /** With `recipient_blocked`, and where the fraud guard answers otherwise: why it refused the send. */
  readonly reason: GuardReason | (string & {}) | undefined;
  /** With `spend_cap_reached`: what was spent in the period of the cap, such as `25.00`. */
  readonly spent: string | undefined;
  /** With `spend_cap_reached`: when the next period begins. */
  readonly resetsAt: Date | undefined;
  /** Where the code is explained. */
  readonly documentationUrl: string | undefined;

  constructor(message: string, details: ByondErrorDetails & { readonly cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfter = details.retryAfter;
    this.fields = details.fields;
    this.requiredScope = details.requiredScope;
    this.reason = details.reason;
    this.spent = details.spent;
    this.resetsAt = details.resetsAt;
    this.documentationUrl = details.documentationUrl;
  }
}

/** Reads the member `error` of an answer. Undefined if it is not one of the API. */
export function readError(error: Json | undefined, status?: number): ByondError | undefined {
  if (!isObject(error) || typeof error.code !== "string") {
    return undefined;
  }
  const {
    code,
    message,
    request_id,
    retry_after,
    fields,
    required_scope,
    reason,
    spent,
    resets_at,
    documentation_url,
  } = error;
  const text = (value: Json | undefined) => (typeof value === "string" ? value : undefined);
  return new ByondError(text(message) ?? code, {
    code,
    status,
    requestId: text(request_id),
    retryAfter: typeof retry_after === "number" && retry_after >= 0 ? retry_after : undefined,
    fields: isObject(fields) ? (fields as Record<string, string>) : undefined,
    requiredScope: text(required_scope),
    reason: text(reason),
    spent: text(spent),
    resetsAt: typeof resets_at === "string" ? new Date(resets_at) : undefined,
    documentationUrl: text(documentation_url),
  });
}
