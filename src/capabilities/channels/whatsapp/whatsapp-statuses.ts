import type { Receipt } from "../../../outbox/receipts.ts";
import { field, items } from "../http/http-post.ts";
import { whatsappMarker } from "./whatsapp.ts";
import { whatsappMessageId } from "./whatsapp-message-id.ts";
import { whatsappFailureReason } from "./whatsapp-outcome.ts";

/** A report of one message. */
export interface WhatsappStatus extends Receipt {
  /** Whether this program sent the message, rather than another one on the same number. */
  readonly isOurs: boolean;
}

const states = ["sent", "delivered", "read", "failed"] as const;

/**
 * The reports in the body of a webhook request. What they are not about (incoming messages, template changes) is left
 * out. Undefined if the body is not JSON.
 */
export function parseWhatsappStatuses(body: Buffer): WhatsappStatus[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  return items(field(json, "entry"))
    .flatMap((entry) => items(field(entry, "changes")))
    .flatMap((change) => items(field(field(change, "value"), "statuses")))
    .flatMap(parseStatus);
}

function parseStatus(status: unknown): WhatsappStatus[] {
  const messageId = whatsappMessageId(field(status, "id"));
  const state = states.find((candidate) => candidate === field(status, "status"));
  const seconds = Number(field(status, "timestamp"));
  if (messageId === undefined || state === undefined || !(seconds > 0 && seconds < 1e11)) {
    return [];
  }
  return [
    {
      messageId,
      state,
      at: new Date(seconds * 1_000),
      error: state === "failed" ? whatsappFailureReason(field(items(field(status, "errors"))[0], "code")) : null,
      isOurs: field(status, "biz_opaque_callback_data") === whatsappMarker,
    },
  ];
}
