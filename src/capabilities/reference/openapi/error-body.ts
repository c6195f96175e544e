import type { JsonObject } from "@bufbuild/protobuf";
import type { ErrorCode } from "../../../errors.ts";
import { errorGuide } from "../error-guide.ts";

/** What the messages of the documented bodies are; other codes have their meaning instead. */
const messages: Partial<Record<ErrorCode, string>> = {
  invalid_api_key: "The provided API key is invalid or revoked.",
  insufficient_scope: "This key is not authorized for the 'verify' scope.",
  validation_error: "One or more fields are invalid.",
  rate_limited: "Too many verifications for this recipient. Try again later.",
  not_found: "There is no verification with this id.",
  idempotency_in_progress: "Another request with this Idempotency-Key is being processed.",
  idempotency_key_reused: "This Idempotency-Key was used for another request.",
  unavailable: "The service is not available right now. Try again shortly.",
};

const details: Partial<Record<ErrorCode, JsonObject>> = {
  insufficient_scope: { required_scope: "verify" },
  validation_error: {
    fields: {
      channel: "must be one of: sms, voice, whatsapp, email",
      code_length: "must be between 4 and 10",
    },
  },
  rate_limited: { retry_after: 60 },
  unavailable: { retry_after: 1 },
};

/** An example of the body of an error. */
export function errorBody(code: ErrorCode, documentationUrl: string): JsonObject {
  return {
    error: {
      code,
      message: messages[code] ?? errorGuide[code].meaning.replace(/(?<=\.) .*$/, "").replaceAll("`", ""),
      request_id: "req_5Vq0cT2nX8mJr4LwYb9sKd",
      documentation_url: `${documentationUrl}#${code}`,
      ...details[code],
    },
  };
}
