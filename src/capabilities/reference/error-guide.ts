import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorCode, errorKinds } from "../../errors.ts";

/** What the reference says of an error. Texts are plain, with code in backticks. */
export interface ErrorExplanation {
  /** In two or three words, as a heading. */
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** Every error explained. A code without an explanation does not compile. */
export const errorGuide = {
  invalid_request: {
    title: "Malformed request",
    meaning:
      "The request cannot be read: the body is not a JSON object, or the target or a header is malformed. Nothing was done.",
    remedy: "Mend the request; the message says what is wrong with it. Sending it again as it is will fail again.",
  },
  unknown_version: {
    title: "Unknown version",
    meaning: "The header `Byond-Version` names a version of the API that this server does not have.",
    remedy: "Send one of the versions that the message lists, or leave the header out to get the current one.",
  },
  invalid_api_key: {
    title: "Bad or missing credential",
    meaning:
      "There is no valid credential of the kind that the endpoint takes: the API key or session token is missing, malformed, expired or revoked, or the request carries two different ones. Signing in answers it for an unknown address and a wrong password alike.",
    remedy:
      "Send an API key as `X-API-Key` to Verify and Lookup, and a session token as `Authorization: Bearer` to key management. Sign in again when a session has run out; mint a new key when one was revoked.",
  },
  signature_invalid: {
    title: "Signature refused",
    meaning:
      "The header `Byond-Signature` does not match the key and the request as they were received, its time is more than five minutes off, the call has already had its effect with this signature, or the key requires a signature, or a `v2` one, and there is none.",
    remedy:
      "Sign the very bytes that you send, with the whole key, and keep the clock of your server right. Sign a call anew before you repeat it, or repeat it with its `Idempotency-Key`.",
  },
  invalid_password: {
    title: "Wrong password",
    meaning: "The password that confirms the call is not the account's. Nothing was changed.",
    remedy: "Ask for the password again. It is needed beside the session, so that a stolen session cannot do this.",
  },
  insufficient_scope: {
    title: "Out of scope",
    meaning:
      "The key is valid, but it was not made for this endpoint: `required_scope` names the scope that it lacks. What acts on the account, such as ending all sessions, also refuses sandbox keys.",
    remedy: "Mint a live key with the scope that is named, and use it for this call.",
  },
  ip_not_allowed: {
    title: "Address not allowed",
    meaning: "The key or its workspace has an allowlist of addresses, and the request came from none of them.",
    remedy: "Send the request from an address of the allowlist, or add the address to it.",
  },
  email_not_verified: {
    title: "Address not verified",
    meaning:
      "The key is live, and its workspace belongs to an account whose mail address is not verified. This server sends real messages and lets anybody sign up, so live keys wait for that. Sandbox keys work.",
    remedy:
      "Sign in, ask for a code with `POST /api/v1/auth/verify-email`, and send it to `POST /api/v1/auth/verify-email/check`. The key works from then on.",
  },
  not_found: {
    title: "Not found",
    meaning:
      "There is no such path, or nothing with this id in your workspace and mode. What belongs to others is not told apart from what does not exist.",
    remedy: "Check the path and the id, and that the key is of the workspace and mode that the id was made in.",
  },
  method_not_allowed: {
    title: "Wrong method",
    meaning: "The path exists, but not for this HTTP method. The header `Allow` lists the methods that it has.",
    remedy: "Use one of the methods of `Allow`.",
  },
  not_acceptable: {
    title: "Answers are JSON",
    meaning: "The header `Accept` rules out the media type that the endpoint answers with.",
    remedy: "Send `Accept: application/json`, or leave the header out.",
  },
  idempotency_in_progress: {
    title: "Still at it",
    meaning: "A request with the same `Idempotency-Key` is being processed at this moment.",
    remedy: "Wait a second and send the same request again: it gets the answer of the first one.",
  },
  already_exists: {
    title: "Already there",
    meaning: "What the request would make exists already, such as an account with this address.",
    remedy: "Use what is there (for an account: sign in), or choose another name.",
  },
  send_limit_reached: {
    title: "Sent often enough",
    meaning:
      "The code of this verification was sent five times, the start included. Nothing was sent, and waiting does not help.",
    remedy: "Start a new verification.",
  },
  payload_too_large: {
    title: "Body too large",
    meaning: "The body is larger than 64 KiB, as sent or after decompression.",
    remedy: "Send less. No endpoint needs a body of that size.",
  },
  unsupported_media_type: {
    title: "Bodies are JSON",
    meaning: "The body is not declared as JSON, or is compressed in a way that the server does not read.",
    remedy: "Send `Content-Type: application/json`, and no `Content-Encoding` but `gzip` or `br`.",
  },
  validation_error: {
    title: "Validation failed",
    meaning:
      "The request was read, but some of its fields are missing, unknown, of the wrong type or out of range. `fields` names all of them at once, each with what is wrong; beyond 20 the message counts them.",
    remedy: "Correct the fields that are named. The same request will fail again.",
  },
  idempotency_key_reused: {
    title: "Key used for another request",
    meaning: "The `Idempotency-Key` was used within the last 24 hours for a request with other content.",
    remedy: "Use a new key for every request that is not a repetition of an earlier one.",
  },
  rate_limited: {
    title: "Too many requests",
    meaning: "A limit of the recipient, the end user, the source address, the key or the workspace is used up for now.",
    remedy: "Wait as many seconds as `retry_after` and the header `Retry-After` say, then send it again.",
  },
  internal: {
    title: "Our fault",
    meaning: "The server failed. The cause is in its log, under the id of the request.",
    remedy:
      "Send it again, with the same `Idempotency-Key` if it has side effects. Quote `request_id` to whoever runs the server if it persists.",
  },
  unavailable: {
    title: "Not now",
    meaning:
      "The server, or the database behind it, cannot take the request at this moment. Nothing was done. It is said within 15 seconds, or 18 if the connection to the database was lost.",
    remedy: "Wait as many seconds as `retry_after` and the header `Retry-After` say, then send it again.",
  },
  outcome_unknown: {
    title: "Outcome unknown",
    meaning:
      "The server lost its database while it carried the request out, and could not find out within three seconds whether it had its effect.",
    remedy:
      "Send it again with the same `Idempotency-Key`, which carries it out at most once. Without a key or a credential, look first whether it was done.",
  },
} as const satisfies Record<ErrorCode, ErrorExplanation>;

/** All codes, by HTTP status. */
export const errorCodes: readonly ErrorCode[] = Object.keys(errorKinds).filter(isErrorCode);

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorKinds, name);
}

/** What the messages of the documented bodies are; other codes have their meaning instead. */
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

/** An example of the body of an error. */
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
