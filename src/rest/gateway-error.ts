import type { FieldViolations } from "./field-violations.ts";

/** The reasons for which the gateway itself rejects a request, and their HTTP statuses. */
const statuses = {
  "malformed-target": 400,
  "malformed-header": 400,
  "malformed-body": 400,
  "not-found": 404,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  "payload-too-large": 413,
  "unsupported-media-type": 415,
  "invalid-fields": 422,
} as const;

export type GatewayErrorKind = keyof typeof statuses;

interface GatewayErrorDetails {
  readonly allow?: readonly string[];
  readonly violations?: FieldViolations;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A request that the gateway rejects. The message is written for the client. */
export class GatewayError extends Error {
  readonly kind: GatewayErrorKind;
  /** The usual HTTP status of the kind. */
  readonly status: number;
  /** For `method-not-allowed`: the methods of the path, sorted. Otherwise empty. */
  readonly allow: readonly string[];
  /** For `invalid-fields`: the violations. Otherwise empty. */
  readonly violations: FieldViolations;
  /** Headers that the response must have whatever its body is, such as `allow`. The gateway sets them itself. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: GatewayErrorKind, message: string, details: GatewayErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = "GatewayError";
    this.kind = kind;
    this.status = statuses[kind];
    this.allow = details.allow ?? [];
    this.violations = details.violations ?? { listed: [], unlisted: 0 };
    this.headers = details.headers ?? {};
  }
}
