import type { Receipt } from "../../../outbox/delivery-receipts.ts";
import { field, messageIdOf } from "../http/http-post.ts";
import { vonageErrorCode, vonageMeaning } from "./vonage-errors.ts";

/** What a webhook request of Vonage reports; undefined if it is about nothing that was sent. */
export function vonageReport(event: unknown): Receipt | undefined {
  return messageReport(event) ?? callReport(event);
}

const statesOfMessages = new Map<unknown, Receipt["state"]>([
  ["submitted", "sent"],
  ["delivered", "delivered"],
  ["read", "read"],
  ["rejected", "failed"],
  ["undeliverable", "failed"],
]);

/** "Messages API status callbacks". */
function messageReport(event: unknown): Receipt | undefined {
  const messageId = messageIdOf(field(event, "message_uuid"));
  const state = statesOfMessages.get(field(event, "status"));
  const at = timeOf(field(event, "timestamp"));
  if (messageId === undefined || state === undefined || at === undefined) {
    return undefined;
  }
  if (state !== "failed") {
    return { messageId, state, at, error: null };
  }
  const code = vonageErrorCode(field(event, "error"));
  const meaning = vonageMeaning(code);
  const reason = meaning?.reason ?? "Vonage could not deliver the message";
  return {
    messageId,
    state,
    at,
    error: code === undefined ? reason : `${reason} (code ${code})`,
    ...(meaning?.effect === "undeliverable" ? { undeliverable: true } : {}),
  };
}

const statesOfCalls = new Map<unknown, Receipt["state"]>([
  ["started", "sent"],
  ["ringing", "sent"],
  ["answered", "delivered"],
  ["completed", "delivered"],
  ["busy", "failed"],
  ["cancelled", "failed"],
  ["failed", "failed"],
  ["rejected", "failed"],
  ["timeout", "failed"],
  ["unanswered", "failed"],
]);

const reasonsOfCalls = new Map<unknown, string>([
  ["busy", "the line was busy"],
  ["cancelled", "the call was cancelled"],
  ["rejected", "the call was rejected"],
  ["timeout", "the call was not answered"],
  ["unanswered", "the call was not answered"],
]);

/** The field `detail` of a call that was not answered. */
const detailsOfCalls = new Map<unknown, { readonly reason: string; readonly undeliverable?: true }>([
  ["invalid_number", { reason: "the number is invalid", undeliverable: true }],
  ["number_out_of_service", { reason: "the number is not in use", undeliverable: true }],
  ["cannot_route", { reason: "Vonage has no route to the recipient" }],
  ["restricted", { reason: "the carrier rejected the call" }],
  ["declined", { reason: "the recipient rejected the call" }],
  ["internal_error", { reason: "Vonage could not place the call" }],
  ["carrier_timeout", { reason: "the carrier did not answer" }],
  ["unavailable", { reason: "the recipient cannot be reached at present" }],
  ["timeout", { reason: "the call was not answered" }],
]);

/** "Voice API webhooks reference", event webhook. */
function callReport(event: unknown): Receipt | undefined {
  const messageId = messageIdOf(field(event, "uuid"));
  const status = field(event, "status");
  const state = statesOfCalls.get(status);
  const at = timeOf(field(event, "timestamp"));
  if (messageId === undefined || state === undefined || at === undefined) {
    return undefined;
  }
  if (state !== "failed") {
    return { messageId, state, at, error: null };
  }
  const detail = detailsOfCalls.get(field(event, "detail"));
  const reason = detail?.reason ?? reasonsOfCalls.get(status) ?? "Vonage could not place the call";
  return { messageId, state, at, error: reason, ...(detail?.undeliverable ? { undeliverable: true } : {}) };
}

function timeOf(value: unknown): Date | undefined {
  const at = new Date(typeof value === "string" ? value : Number.NaN);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
