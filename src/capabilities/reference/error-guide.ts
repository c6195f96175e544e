import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorCode, errorKinds } from "../../errors.ts";
import { currentApiVersion } from "../../rpc/api-versions.ts";
import { type ErrorSituation, errorSituations } from "./error-situations.ts";
import { exampleIds } from "./openapi/example-ids.ts";

/** How the reference explains an error. Texts are plain, with code in backticks. */
export interface ErrorExplanation {
  /** The heading, in two or three words. */
  readonly title: string;
  /** What happened, and whether anything was done. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether the same request may be sent again, and when: begins with "Yes" or "No". */
  readonly retry: string;
  /** The causes, where they need different remedies. */
  readonly situations?: readonly ErrorSituation[];
}

/** Every error explained. A code without an explanation does not compile. */
export const errorGuide = {
  invalid_request: {
    title: "Malformed request",
    meaning:
      "The server cannot read the request: the body is not a JSON object, or the URL or a header is malformed. Nothing was done.",
    remedy: "Fix the part that the message names.",
    retry: "No. Fix the request first.",
  },
  unknown_version: {
    title: "Unknown version",
    meaning: "The header `Byond-Version` names a version of the API that this server does not have. Nothing was done.",
    remedy: "Send one of the versions that the message lists, or leave the header out to get the current version.",
    retry: "No. Fix the header first.",
  },
  invalid_api_key: {
    title: "Invalid or missing credential",
    meaning:
      "The request has no valid credential of the kind that the endpoint takes: the API key or access token is missing, malformed, expired or revoked, or the request carries two different credentials. Signing in and refreshing a session also fail with this code.",
    remedy:
      "Find the message among the situations below. Send an API key as `X-API-Key`, or an access token as `Authorization: Bearer`.",
    retry: "No. Send a valid credential first.",
    situations: errorSituations.invalid_api_key,
  },
  signature_invalid: {
    title: "Invalid signature",
    meaning:
      "The header `Byond-Signature` is missing although the key requires it, or is malformed, too old, already used, or does not match the request. Nothing was done.",
    remedy:
      "Sign the exact bytes that you send, with the whole key, and keep the clock of your server right. Sign every request anew.",
    retry: "No. Sign the request again, with the current time.",
    situations: errorSituations.signature_invalid,
  },
  invalid_password: {
    title: "Wrong password",
    meaning: "The password that confirms the call is wrong. Nothing was changed.",
    remedy:
      "Ask the user for the password again. The call requires it in addition to the session, so that a stolen session is not enough.",
    retry: "No. Send the right password.",
  },
  insufficient_balance: {
    title: "Insufficient balance",
    meaning:
      "The balance of the workspace does not cover the price of the message or of the lookups. Nothing was sent, and nothing was charged. Shortly before the balance is used up, other servers may have set the rest aside for calls of theirs, for 35 seconds at most: the message says how much that is.",
    remedy: "Ask the operator of the server to top up the balance. `GET /api/v1/balance` returns what is left.",
    retry: "Yes, after the balance was topped up.",
  },
  insufficient_scope: {
    title: "Missing scope",
    meaning:
      "The API key is valid, but may not call this endpoint. `required_scope` is the scope that the endpoint requires. Nothing was done.",
    remedy: "Add the scope to the key with `PATCH /api/v1/api-keys/{id}`, or use a key that has it.",
    retry: "No. Use a key that may call the endpoint.",
    situations: errorSituations.insufficient_scope,
  },
  ip_not_allowed: {
    title: "IP address not allowed",
    meaning:
      "The API key or its workspace has an IP allowlist, or the server takes requests from certain networks only, and the request came from another address. Nothing was done.",
    remedy:
      "Send the request from an address on the allowlist, or add the address that the message names to the allowlist. If the message says that the server may not be called from the address, ask its operator (`ALLOWED_NETWORKS`).",
    retry: "No. Change the allowlist, or send the request from another address.",
  },
  origin_not_allowed: {
    title: "Origin not allowed",
    meaning:
      "The API key is publishable, and the request does not come from a page of one of its `origins`: the header `Origin` is missing, or names another one. Nothing was done.",
    remedy:
      "Add the origin of the page to the key with `PATCH /api/v1/api-keys/{id}`: scheme, host and port exactly as the browser sends them. On a server, use a secret key.",
    retry: "No. Change the origins of the key, or use a secret key on your server.",
  },
  secret_key_required: {
    title: "Secret key required",
    meaning: "The API key is publishable, and may only check codes and resend them. Nothing was done.",
    remedy: "Make the call from your server, with a secret key. Never put a secret key into a page or an app.",
    retry: "No. Use a secret key.",
  },
  email_not_verified: {
    title: "Email address not verified",
    meaning:
      "The email address of the account is not verified. Because this server sends real messages and its sign-up is open, live keys work only once it is. Sandbox keys work already.",
    remedy:
      "Sign in, request a code with `POST /api/v1/auth/verify-email`, and send the code to `POST /api/v1/auth/verify-email/check`. Live keys work from then on.",
    retry: "No. Verify the email address first.",
  },
  recipient_blocked: {
    title: "Recipient blocked",
    meaning:
      "The fraud guard of the workspace sends no codes to this phone number: its country is not allowed, hardly any code that was sent to numbers like it was entered, or the workspace's hook refused it. `reason` names the reason. Nothing was sent.",
    remedy:
      "Offer the user another way, such as email. If the number is good, put it or its range on the safe list with `POST /guard/safe-list`, change the countries with `PATCH /guard`, or end the block with `DELETE /guard/blocks/{id}`.",
    retry:
      "No. A range that is blocked is free again after some time; the rest stays as it is until you change the settings.",
  },
  spend_cap_reached: {
    title: "Spend cap reached",
    meaning:
      "This costs more than what is left of what the key, or its workspace, may spend in a day or a month. Shortly before that is used up, other servers may have set the rest aside for calls of theirs, for 35 seconds at most: the message says how much that is. `spent` says what was spent, and `resets_at` when the next period begins. Nothing was sent, and nothing was charged.",
    remedy: "Wait until `resets_at`, or raise the cap with `PUT /api/v1/spend-caps/{owner}`.",
    retry: "Yes, from `resets_at` on, or after the cap was raised.",
  },
  not_found: {
    title: "Not found",
    meaning:
      "Nothing is at this path, or your workspace has no resource with this id in this mode. Resources of other workspaces also return 404.",
    remedy:
      "Check the path, the id, and that the credential belongs to the workspace and the mode in which the resource was created.",
    retry: "No. The same request fails again.",
    situations: errorSituations.not_found,
  },
  method_not_allowed: {
    title: "Method not allowed",
    meaning: "The path exists, but not with this HTTP method. The header `Allow` lists the methods that it takes.",
    remedy: "Use one of the methods in `Allow`.",
    retry: "No. Use another method.",
  },
  not_acceptable: {
    title: "Not acceptable",
    meaning: "The header `Accept` excludes every media type in which the endpoint can answer.",
    remedy: "Send `Accept: application/json`, or leave the header out.",
    retry: "No. Fix the header first.",
  },
  idempotency_in_progress: {
    title: "Request in progress",
    meaning: "Another request with the same `Idempotency-Key` is still being processed.",
    remedy: "Wait a second, then send the same request again. You get the response of the first request.",
    retry: "Yes, after a second, with the same `Idempotency-Key`.",
  },
  already_exists: {
    title: "Resource already exists",
    meaning:
      "There is an account with this email address already, or the email address of the account is verified already. Nothing was created.",
    remedy:
      "After a sign-up: sign in, or reset the password if the address is yours. After a request to verify the address: nothing, it is verified.",
    retry: "No. The same request fails again.",
  },
  undeliverable: {
    title: "Recipient cannot be reached",
    meaning:
      "An earlier message to this recipient could not be delivered on this channel for good: there is no such mailbox or number, or it takes no messages. The message names the reason. With a publishable key it names none, and the balance or a spend cap may be the reason as well. Nothing was sent.",
    remedy:
      "Ask the user to correct the address or the number, or use another channel. If you know that the recipient can be reached by now, end the suppression with `DELETE /suppressions/{suppression_id}`. It ends by itself after 30 days, unless the operator changed it, and on WhatsApp after one day.",
    retry: "No. The same request fails again until the suppression ends.",
  },
  send_limit_reached: {
    title: "Send limit reached",
    meaning: "The code of this verification was sent five times, the start included. Nothing was sent.",
    remedy: "Start a new verification.",
    retry: "No. Waiting does not help.",
  },
  limit_reached: {
    title: "Limit reached",
    meaning: "The mode has 20 webhooks already, which is the limit. Nothing was created.",
    remedy: "Delete a webhook that you no longer need, or use an existing one.",
    retry: "No. Delete one first; waiting does not help.",
  },
  payload_too_large: {
    title: "Body too large",
    meaning:
      "The body is larger than 64 KiB (256 KiB for a batch of lookups), as sent or after decompression. Nothing was done.",
    remedy: "Send a smaller body.",
    retry: "No. Make the body smaller first.",
  },
  unsupported_media_type: {
    title: "Unsupported media type",
    meaning:
      "The body is not declared as JSON, or has a content encoding that the server does not support. Nothing was done.",
    remedy: "Send `Content-Type: application/json`, and no `Content-Encoding` other than `gzip` or `br`.",
    retry: "No. Fix the headers first.",
  },
  validation_error: {
    title: "Validation failed",
    meaning:
      "At least one field of the request is missing, unknown, of the wrong type or out of range. `fields` lists every problem by field; beyond 20 problems, the message counts the rest. Nothing was done.",
    remedy: "Fix the listed fields.",
    retry: "No. Fix the request first.",
    situations: errorSituations.validation_error,
  },
  idempotency_key_reused: {
    title: "Idempotency key reused",
    meaning:
      "The `Idempotency-Key` belongs to a different request of the last 24 hours. Nothing was done for this request.",
    remedy: "Use a new key for every new request. Send the same key only to retry the same request.",
    retry: "No. It is a new request: send it with a new `Idempotency-Key`.",
    situations: errorSituations.idempotency_key_reused,
  },
  rate_limited: {
    title: "Too many requests",
    meaning:
      "A limit is used up: of the recipient, the end user, the IP address, the account, the API key or the workspace. Nothing was done.",
    remedy: "Wait for `retry_after` seconds (also in the header `Retry-After`), then retry.",
    retry: "Yes, after `retry_after` seconds. Retrying earlier does not extend the wait.",
    situations: errorSituations.rate_limited,
  },
  internal: {
    title: "Server error",
    meaning: "The server failed unexpectedly. Its log has the cause, under the `request_id`.",
    remedy:
      "Retry, with the same `Idempotency-Key` if the call has side effects. If the error persists, send the `request_id` to the operator of the server.",
    retry: "Yes, with the same `Idempotency-Key`. Wait longer after each failure.",
  },
  unavailable: {
    title: "Service unavailable",
    meaning:
      "The server or its database cannot handle the request at the moment. Nothing was done. The response arrives within 15 seconds, or within 18 if the connection to the database was lost.",
    remedy: "Wait for `retry_after` seconds (also in the header `Retry-After`), then retry.",
    retry: "Yes, after `retry_after` seconds. Wait longer after each failure.",
  },
  outcome_unknown: {
    title: "Outcome unknown",
    meaning:
      "The server lost its database while it carried the request out, and could not find out within three seconds whether the request took effect.",
    remedy:
      "Retry with the same `Idempotency-Key`: the request takes effect at most once. If you sent no key, check first whether it took effect.",
    retry: "Yes, with the same `Idempotency-Key`. Without one, check first.",
  },
} as const satisfies Record<ErrorCode, ErrorExplanation>;

/** All codes, by HTTP status. */
export const errorCodes: readonly ErrorCode[] = Object.keys(errorKinds).filter(isErrorCode);

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorKinds, name);
}

/** The messages of the example bodies, as the server writes them. */
const exampleMessages: Record<ErrorCode, string> = {
  invalid_request: "The request body is not valid JSON.",
  unknown_version: `This server does not know the version of the Byond-Version header. Known: ${currentApiVersion}.`,
  signature_invalid: "The time of the signature is more than 5 minutes away from the server's.",
  invalid_password: "The password is wrong.",
  ip_not_allowed: "This credential may not be used from the IP address 203.0.113.7.",
  origin_not_allowed: "This publishable key may not be used by pages of the origin of this request.",
  secret_key_required:
    "A publishable key may only check codes (POST /api/v1/verify/check) and resend them (POST /api/v1/verify/{verification_id}/resend). Call this from your server, with a secret key.",
  email_not_verified:
    "Live keys work once the email address of the account is verified: sign in and use POST /api/v1/auth/verify-email.",
  recipient_blocked:
    "No code is sent to this recipient: hardly any code that was sent to numbers like this one was entered.",
  insufficient_balance: "This costs 0.07 EUR, and 0.03 EUR are left.",
  spend_cap_reached: "This costs 0.07 EUR. Of what the key may spend, 0.00 EUR are left.",
  method_not_allowed: "This path takes GET, HEAD, POST only.",
  not_acceptable: "The response can only be sent as application/json.",
  already_exists: "No account can be created with this email address. If it is yours, sign in, or reset the password.",
  undeliverable:
    "Messages to this recipient cannot be delivered on this channel: the mail server answered 550 5.1.1 to RCPT TO.",
  send_limit_reached: "This code was sent five times, which is the maximum. Start a new verification.",
  limit_reached: "There are 20 webhooks in this mode, which is the limit: delete one first.",
  payload_too_large: "The request body must not be larger than 65536 bytes.",
  unsupported_media_type: "The Content-Type of the request body must be application/json.",
  internal: "The server failed to answer. Try again, and quote the request id if it persists.",
  outcome_unknown:
    "The connection to the database was lost during the call, which may have taken effect. Retry with the same Idempotency-Key, or check first whether it took effect.",
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
  recipient_blocked: { reason: "range_blocked" },
  spend_cap_reached: { spent: "25.00", resets_at: "2026-02-01T00:00:00Z" },
};

/** An example body of an error. */
export function errorBody(code: ErrorCode, documentationUrl: string): JsonObject {
  return {
    error: {
      code,
      message: exampleMessages[code],
      request_id: exampleIds.request,
      documentation_url: `${documentationUrl}#${code}`,
      ...exampleDetails[code],
    },
  };
}
