import { createHmac } from "node:crypto";
import type { Clock } from "../../../clock.ts";
import { equalSecrets } from "../../../crypto/equal-secrets.ts";
import { field, messageIdOf } from "../http/http-post.ts";
import type { CallbackRequest, ProviderCallback } from "../provider-kind.ts";
import { adapterError } from "./adapter-error.ts";

/** A report is refused if it was signed longer ago than this, or as far in the future. */
const signatureLifetimeMs = 5 * 60_000;

/**
 * Delivery reports of an adapter, signed as its messages are: `{"message_id", "status", "error", "undeliverable"}`. A message that Byond
 * signed for the adapter is no report: it has neither `message_id` nor `status`.
 */
export function adapterCallback(secret: string, clock: Pick<Clock, "now">): ProviderCallback {
  return (request) => {
    const now = clock.now();
    if (!isSigned(secret, request, now.getTime())) {
      return { kind: "unsigned" };
    }
    const report = parseJson(request.body);
    const messageId = messageIdOf(field(report, "message_id"));
    const state = (["sent", "delivered", "failed"] as const).find((each) => each === field(report, "status"));
    if (messageId === undefined || state === undefined) {
      return { kind: "unreadable" };
    }
    const isFailed = state === "failed";
    const word = adapterError(field(report, "error"));
    const error = `the provider could not deliver the message${word === undefined ? "" : ` (${word})`}`;
    const undeliverable = isFailed && field(report, "undeliverable") === true;
    return {
      kind: "receipts",
      receipts: [{ messageId, state, at: now, error: isFailed ? error : null, undeliverable }],
    };
  };
}

/** Checks `t=<unix ms>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>` over the bytes that came, and that it is recent. */
function isSigned(secret: string, { header, body }: CallbackRequest, nowMs: number): boolean {
  const [, sentAt = "", signature = ""] =
    /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(header("byond-signature") ?? "") ?? [];
  const expected = createHmac("sha256", secret).update(`${sentAt}.`).update(body).digest("hex");
  return equalSecrets(signature, expected) && Math.abs(nowMs - Number(sentAt)) <= signatureLifetimeMs;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
