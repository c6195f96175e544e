import { createHash } from "node:crypto";
import type { SendResult } from "../../../outbox/send-result.ts";
import { type ErrorMeaning, resultOf } from "../error-meaning.ts";
import { field, type HttpAnswer, items, messageIdOf, unansweredResult } from "../http/http-post.ts";

const refusedToken: ErrorMeaning = { reason: "WhatsApp refused the token", effect: "retry-provider" };
const noPermission: ErrorMeaning = { reason: "WhatsApp denied the permission to send", effect: "retry-provider" };
const outage: ErrorMeaning = { reason: "WhatsApp is out of service", effect: "retry-provider" };
const tooFast: ErrorMeaning = { reason: "WhatsApp's rate limit is reached", effect: "retry-provider", afterMs: 2_000 };
const blocked: ErrorMeaning = { reason: "WhatsApp has restricted the account", effect: "retry-provider" };
const badTemplate: ErrorMeaning = { reason: "WhatsApp refused the template", effect: "fail" };
const badRequest: ErrorMeaning = { reason: "WhatsApp refused the request", effect: "fail" };

/** Meta, "Error codes" of the WhatsApp Cloud API. Errors that affect all messages are retried. */
const meanings: Readonly<Record<number, ErrorMeaning>> = {
  0: refusedToken,
  1: outage,
  2: outage,
  3: noPermission,
  4: tooFast,
  10: noPermission,
  33: badRequest,
  100: badRequest,
  190: refusedToken,
  368: blocked,
  80007: tooFast,
  130429: tooFast,
  130472: { reason: "WhatsApp does not deliver to this recipient", effect: "fail" },
  130497: { reason: "WhatsApp does not deliver to this country", effect: "fail" },
  131000: outage,
  131005: noPermission,
  131008: badRequest,
  131009: badRequest,
  131016: outage,
  131021: { reason: "the recipient is the sender", effect: "fail" },
  131026: { reason: "the recipient cannot receive WhatsApp messages", effect: "undeliverable" },
  131030: { reason: "the recipient is not on the test number's list", effect: "fail" },
  131031: blocked,
  131042: { reason: "WhatsApp has no valid payment method", effect: "retry-provider" },
  131045: noPermission,
  131048: { ...tooFast, reason: "WhatsApp limits the number for the complaints about it", afterMs: 10_000 },
  131049: { reason: "WhatsApp chose not to deliver the message", effect: "fail" },
  131056: { reason: "too many WhatsApp messages to this recipient", effect: "retry-message", afterMs: 6_000 },
  131057: outage,
  132000: badTemplate,
  132001: badTemplate,
  132005: badTemplate,
  132007: badTemplate,
  132012: badTemplate,
  132015: badTemplate,
  132016: badTemplate,
  133004: outage,
  133010: { reason: "the sending number is not registered with WhatsApp", effect: "retry-provider" },
};

/** The result of an attempt, from the response to it. */
export function whatsappOutcome(answer: HttpAnswer): SendResult {
  if (answer.kind === "unanswered") {
    return unansweredResult(answer);
  }
  const messageId = whatsappMessageId(field(items(field(answer.body, "messages"))[0], "id"));
  if (answer.status >= 200 && answer.status < 300 && messageId !== undefined) {
    return { kind: "sent", providerMessageId: messageId };
  }
  const code = field(field(answer.body, "error"), "code");
  const meaning = (typeof code === "number" ? meaningOf(code) : undefined) ?? meaningOfStatus(answer.status);
  const detail = typeof code === "number" ? `${answer.status}, code ${code}` : String(answer.status);
  return resultOf(meaning, detail, answer.retryAfterMs);
}

/** The reason of a failure in a delivery report. */
export function whatsappFailureReason(code: unknown): string {
  const meaning = typeof code === "number" ? meaningOf(code) : undefined;
  const reason = meaning?.reason ?? "WhatsApp could not deliver the message";
  return typeof code === "number" ? `${reason} (code ${code})` : reason;
}

/** Whether a failure in a delivery report says that the recipient has no account. */
export function isWhatsappUndeliverable(code: unknown): boolean {
  return typeof code === "number" && meaningOf(code)?.effect === "undeliverable";
}

function meaningOf(code: number): ErrorMeaning | undefined {
  return code >= 200 && code <= 299 ? noPermission : meanings[code];
}

function meaningOfStatus(status: number): ErrorMeaning {
  if (status === 401 || status === 403) {
    return refusedToken;
  }
  if (status === 429) {
    return tooFast;
  }
  if (status >= 400 && status < 500 && status !== 408) {
    return badRequest;
  }
  return status >= 500 || status === 408
    ? outage
    : { reason: "WhatsApp's interface answered something unknown", effect: "retry-provider" };
}

/**
 * The stored form of WhatsApp's message id: `wamid-sha256:` and its SHA-256 in base64url. The id itself contains the
 * number of the recipient in Base64, and a random part, so that the number cannot be found by trying hashes.
 * Undefined if `value` is not an id.
 */
export function whatsappMessageId(value: unknown): string | undefined {
  const id = messageIdOf(value);
  return id === undefined ? undefined : `wamid-sha256:${createHash("sha256").update(id).digest("base64url")}`;
}
