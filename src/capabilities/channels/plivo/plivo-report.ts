import type { Receipt } from "../../../outbox/delivery-receipts.ts";
import { messageIdOf } from "../http/http-post.ts";
import { type PlivoFailure, plivoHangupCauses, plivoMessageErrors } from "./plivo-errors.ts";

/**
 * What a callback of Plivo reports; undefined if it is about nothing that was sent. The times in it have no zone: `now` is used.
 */
export function plivoReport(form: URLSearchParams, now: Date): Receipt | undefined {
  return form.has("MessageUUID") ? messageReport(form, now) : callReport(form, now);
}

const statesOfMessages = new Map<string | null, Receipt["state"]>([
  ["queued", "sent"],
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "read"],
  ["failed", "failed"],
  ["undelivered", "failed"],
]);

/** "Message status callbacks". */
function messageReport(form: URLSearchParams, at: Date): Receipt | undefined {
  const messageId = messageIdOf(form.get("MessageUUID"));
  const state = statesOfMessages.get(form.get("Status"));
  if (messageId === undefined || state === undefined) {
    return undefined;
  }
  return state === "failed"
    ? failed(messageId, at, form.get("ErrorCode"), plivoMessageErrors, "Plivo could not deliver the message")
    : { messageId, state, at, error: null };
}

/** The request to the hang-up URL of a call. `RequestUUID` is the id that Plivo answered the request with. */
function callReport(form: URLSearchParams, at: Date): Receipt | undefined {
  const messageId = messageIdOf(form.get("RequestUUID") ?? form.get("ALegRequestUUID") ?? form.get("CallUUID"));
  const status = form.get("CallStatus");
  if (messageId === undefined || status === null) {
    return undefined;
  }
  if (status === "ringing" || status === "in-progress") {
    return { messageId, state: "sent", at, error: null };
  }
  const code = form.get("HangupCauseCode");
  const isHeard =
    status === "completed" && (code === "0" || plivoHangupCauses[Number(code ?? Number.NaN)] === undefined);
  return isHeard
    ? { messageId, state: "delivered", at, error: null }
    : failed(messageId, at, code, plivoHangupCauses, "Plivo could not place the call");
}

function failed(
  messageId: string,
  at: Date,
  code: string | null,
  table: Readonly<Record<number, PlivoFailure>>,
  unknown: string,
): Receipt {
  const known = code !== null && /^\d{1,5}$/.test(code);
  const failure = known ? table[Number(code)] : undefined;
  const reason = failure?.reason ?? unknown;
  return {
    messageId,
    state: "failed",
    at,
    error: known ? `${reason} (code ${Number(code)})` : reason,
    ...(failure?.undeliverable === true ? { undeliverable: true } : {}),
  };
}
