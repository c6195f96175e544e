import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorCode, errorKinds } from "../../errors.ts";

/** How the reference explains an error. Texts are plain, with code in backticks. */
export interface ErrorExplanation {
  /** The heading, in two or three words. */
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** Every error explained. A code without an explanation does not compile. */
export const errorGuide = {
  invalid_request: {
    title: "Malformed request",
    meaning:
      "The request cannot be parsed: the body is not a JSON object, or the target or a header is malformed. Nothing was done.",
    remedy: "Correct what the message names. The same request will fail again.",
  },
  unknown_version: {
    title: "Unknown version",
    meaning: "The header `Byond-Version` names a version of the API that this server does not have.",
    remedy: "Send one of the versions that the message lists, or leave the header out to get the current one.",
  },
  invalid_api_key: {
    title: "Invalid or missing credential",
    meaning:
      "The request has no valid credential of the kind that the endpoint takes: the API key or session token is missing, malformed, expired or revoked, or the request carries two different ones. Signing in fails with it for an unknown address and for a wrong password.",
    remedy:
      "Send an API key as `X-API-Key` to Verify and Lookup, and a session token as `Authorization: Bearer` to key management. If the session has ended, sign in again. If the key was revoked, create a new one.",
  },
  signature_invalid: {
    title: "Signature refused",
    meaning:
      "The header `Byond-Signature` does not match the key and the request as received; or its time is more than five minutes off; or the call already took effect with this signature; or the key requires a signature, or a `v2` signature, that is missing.",
    remedy:
      "Sign the exact bytes that you send, with the whole key, and keep the clock of your server right. Before you repeat a call, sign it again, or repeat it with its `Idempotency-Key`.",
  },
  invalid_password: {
    title: "Wrong password",
    meaning: "The password that confirms the call is wrong. Nothing was changed.",
    remedy:
      "Ask the user for the password again. The call needs it in addition to the session, so that a stolen session is not enough.",
  },
  insufficient_scope: {
    title: "Missing scope",
    meaning:
      "The key is valid, but may not call this endpoint: `required_scope` is the scope that it lacks. Calls that act on the account, such as ending all sessions, also refuse sandbox keys.",
    remedy: "Use a key with that scope. For calls that act on the account, use a live key.",
  },
  ip_not_allowed: {
    title: "Address not allowed",
    meaning: "The key or its workspace has an address allowlist, and the request came from another address.",
    remedy: "Send the request from an address of the allowlist, or add the address to it.",
  },
  email_not_verified: {
    title: "Address not verified",
    meaning:
      "The mail address of the account is not verified. This server sends real messages and sign-up is open, so live keys work only after that. Sandbox keys work.",
    remedy:
      "Sign in, request a code with `POST /api/v1/auth/verify-email`, and send it to `POST /api/v1/auth/verify-email/check`. The key works from then on.",
  },
  not_found: {
    title: "Not found",
    meaning:
      "The path does not exist, or your workspace has no resource with this id in this mode. Resources of other workspaces also return 404.",
    remedy:
      "Check the path and the id, and that the key belongs to the workspace and mode in which the id was created.",
  },
  method_not_allowed: {
    title: "Wrong method",
    meaning: "The path does not have this HTTP method. The header `Allow` lists the methods that it has.",
    remedy: "Use one of the methods of `Allow`.",
  },
  not_acceptable: {
    title: "Responses are JSON",
    meaning: "The header `Accept` excludes the media type of the response.",
    remedy: "Send `Accept: application/json`, or leave the header out.",
  },
  idempotency_in_progress: {
    title: "Request in progress",
    meaning: "Another request with the same `Idempotency-Key` is being processed.",
    remedy: "Wait a second and send the same request again: it returns the response of the first one.",
  },
  already_exists: {
    title: "Already exists",
    meaning: "The resource that the request would create already exists, such as an account with this address.",
    remedy: "Use the existing resource (for an account: sign in), or choose another name.",
  },
  send_limit_reached: {
    title: "Send limit reached",
    meaning:
      "The code of this verification was sent five times, the start included. Nothing was sent, and waiting does not help.",
    remedy: "Start a new verification.",
  },
  limit_reached: {
    title: "Limit reached",
    meaning: "The workspace has as many of these as it can have. Nothing was created, and waiting does not help.",
    remedy: "Delete one that is not needed, or use it for this purpose too.",
  },
  payload_too_large: {
    title: "Body too large",
    meaning: "The body is larger than 64 KiB, as sent or after decompression.",
    remedy: "Send a smaller body.",
  },
  unsupported_media_type: {
    title: "Bodies are JSON",
    meaning: "The body is not declared as JSON, or has an encoding that the server does not support.",
    remedy: "Send `Content-Type: application/json`, and no `Content-Encoding` other than `gzip` or `br`.",
  },
  validation_error: {
    title: "Validation failed",
    meaning:
      "Some fields of the request are missing, unknown, of the wrong type or out of range. `fields` lists all of them, each with what is wrong; beyond 20 the message counts the rest.",
    remedy: "Correct the listed fields. The same request will fail again.",
  },
  idempotency_key_reused: {
    title: "Key used for another request",
    meaning: "The `Idempotency-Key` was used for a different request within the last 24 hours.",
    remedy: "Use a new key for every request, and the same key only to repeat that request.",
  },
  rate_limited: {
    title: "Too many requests",
    meaning:
      "A limit of the recipient, the end user, the network address, the key or the workspace is used up for now.",
    remedy: "Wait as many seconds as `retry_after` and the header `Retry-After` say, then send the request again.",
  },
  internal: {
    title: "Server error",
    meaning: "The server failed. Its log has the cause, under the request id.",
    remedy:
      "Send the request again, with the same `Idempotency-Key` if it has side effects. If the error persists, send the `request_id` to the operator of the server.",
  },
  unavailable: {
    title: "Unavailable",
    meaning:
      "The server or its database cannot handle the request at the moment. Nothing was done. The response comes within 15 seconds, or 18 if the connection to the database was lost.",
    remedy: "Wait as many seconds as `retry_after` and the header `Retry-After` say, then send the request again.",
  },
  outcome_unknown: {
    title: "Outcome unknown",
    meaning:
      "The server lost its database while it carried the request out, and could not find out within three seconds whether it took effect.",
    remedy:
      "Send the request again with the same `Idempotency-Key`: it is carried out at most once. If you sent no key, check first whether the request took effect.",
  },
} as const satisfies Record<ErrorCode, ErrorExplanation>;

/** All codes, by HTTP status. */
export const errorCodes: readonly ErrorCode[] = Object.keys(errorKinds).filter(isErrorCode);

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorKinds, name);
}

/** The messages of the example bodies. Other codes use the first sentence of their meaning. */
const exampleMessages: Partial<Record<ErrorCode, string>> = {
  invalid_api_key: "The provided API key is invalid or revoked.",
  insufficient_scope: "This key is not authorized for the 'verify' scope.",
  validation_error: "One or more fields are invalid.",
  rate_limited: "Too many verifications for this recipient. Try again later.",
  not_found: "There is no verification with this id.",
  idempotency_in_progress: "Another request with this Idempotency-Key is being processed.",
  idempotency_key_reused: "This Idempotency-Key was used for another request.",
  unavailable: "The service is not available right now. Try again shortly.",
};

const exampleDetails: Partial<Record<ErrorCode, JsonObject>> = {
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

/** An example body of an error. */
export function errorBody(code: ErrorCode, documentationUrl: string): JsonObject {
  return {
    error: {
      code,
      message: exampleMessages[code] ?? errorGuide[code].meaning.replace(/(?<=\.) .*$/, "").replaceAll("`", ""),
      request_id: "req_5Vq0cT2nX8mJr4LwYb9sKd",
      documentation_url: `${documentationUrl}#${code}`,
      ...exampleDetails[code],
    },
  };
}
