import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/byond/v1/error_pb.ts";

/** An error as every answer of the server describes it, or the failure to get an answer. */
export interface HouseError {
  /** Such as `rate_limited`; `offline` if there was no answer. */
  readonly code: string;
  readonly message: string;
  readonly requestId: string | undefined;
  readonly documentationUrl: string | undefined;
  /** What is wrong, by field of the request, as the schema names it: `ip_allowlist.ranges[0]`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;
}

/** What the server said, or why it said nothing. */
export function toHouseError(error: unknown): HouseError {
  const connectError = ConnectError.from(error);
  const [info] = connectError.findDetails(ErrorInfoSchema);
  if (info !== undefined) {
    return {
      code: info.code,
      message: info.message,
      requestId: info.requestId,
      documentationUrl: info.documentationUrl,
      fields: info.fields,
      retryAfterSeconds: info.retryAfter,
    };
  }
  const isWithoutAnswer =
    connectError.code === Code.Unknown || connectError.code === Code.Unavailable || error instanceof TypeError;
  return {
    code: isWithoutAnswer ? "offline" : "unreadable_answer",
    message: isWithoutAnswer
      ? "The server cannot be reached. Check that it is running, and your connection to it."
      : `The answer cannot be read: ${connectError.rawMessage}`,
    requestId: connectError.metadata.get("x-request-id") ?? undefined,
    documentationUrl: undefined,
    fields: {},
    retryAfterSeconds: undefined,
  };
}

/** Whether the session is not accepted (any more). */
export function isSessionRefused(error: unknown): boolean {
  return toHouseError(error).code === "invalid_api_key";
}
