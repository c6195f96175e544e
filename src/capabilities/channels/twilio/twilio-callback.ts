import { createHmac } from "node:crypto";
import type { Clock } from "../../../clock.ts";
import { equalSecrets } from "../../../crypto/equal-secrets.ts";
import type { Receipt } from "../../../outbox/delivery-receipts.ts";
import { readCallbackForm } from "../callback-form.ts";
import { messageIdOf } from "../http/http-post.ts";
import type { CallbackRequest, ProviderCallback } from "../provider-kind.ts";
import { twilioDeliveryErrors } from "./twilio-errors.ts";

/**
 * Twilio's status callbacks of messages and calls, signed with the account's token over the public address and the form that is posted
 * (twilio.com/docs/usage/webhooks/webhooks-security). They have no time of their own.
 */
export function twilioCallback(authToken: string, clock: Pick<Clock, "now">): ProviderCallback {
  return (request) => {
    const form = readCallbackForm(request.body);
    if (form === undefined || !isSigned(authToken, request, form)) {
      return { kind: "unsigned" };
    }
    const messageId = messageIdOf(form.get("MessageSid") ?? form.get("CallSid"));
    const status = form.get("MessageStatus") ?? form.get("CallStatus");
    if (messageId === undefined || status === null) {
      return { kind: "unreadable" };
    }
    const outcome = form.has("CallSid") ? outcomeOfCall(status) : outcomeOfMessage(status, form.get("ErrorCode"));
    return { kind: "receipts", receipts: outcome === undefined ? [] : [{ messageId, at: clock.now(), ...outcome }] };
  };
}

/**
 * The address, followed by the names and values of the form in the order of the names. Twilio signs an address with a port of its own
 * sometimes with it and sometimes without.
 */
function isSigned(authToken: string, { url, header }: CallbackRequest, form: URLSearchParams): boolean {
  const fields = [...form].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)).flat();
  const given = header("x-twilio-signature") ?? "";
  return [url, withoutPort(url)].some((address) => {
    const signed = createHmac("sha1", authToken).update([address, ...fields].join(""));
    return equalSecrets(given, signed.digest("base64"));
  });
}

function withoutPort(url: string): string {
  return url.replace(/^(https?:\/\/[^/?#]*?):\d+(?=[/?#]|$)/, "$1");
}

type Outcome = Pick<Receipt, "state" | "error" | "undeliverable">;

/** Undefined: the state of the delivery stays as it is, as when the message is queued. */
function outcomeOfMessage(status: string, code: string | null): Outcome | undefined {
  switch (status) {
    case "sent":
    case "delivered":
    case "read":
      return { state: status, error: null };
    case "undelivered":
    case "failed":
    case "canceled":
      return failure(code ?? "");
    default:
      return undefined;
  }
}

function failure(code: string): Outcome {
  const meaning = /^\d{5}$/.test(code) ? twilioDeliveryErrors[Number(code)] : undefined;
  const reason = meaning?.reason ?? "Twilio could not deliver the message";
  return {
    state: "failed",
    error: /^\d{5}$/.test(code) ? `${reason} (code ${code})` : reason,
    undeliverable: meaning?.undeliverable === true,
  };
}

/** A call is delivered when it was answered. What answers can be a mailbox. */
function outcomeOfCall(status: string): Outcome | undefined {
  switch (status) {
    case "completed":
      return { state: "delivered", error: null };
    case "busy":
      return { state: "failed", error: "the line was busy" };
    case "no-answer":
      return { state: "failed", error: "nobody answered the call" };
    case "failed":
      return { state: "failed", error: "the call could not be connected" };
    case "canceled":
      return { state: "failed", error: "the call was canceled" };
    default:
      return undefined;
  }
}
