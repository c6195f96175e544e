import { createHmac, timingSafeEqual } from "node:crypto";
import type { Queryable } from "../../../database/database.ts";
import type { EventLog } from "../../../events/event-log.ts";
import type { Logger } from "../../../observe/log.ts";
import { type Receipt, recordReceipts } from "../../../outbox/delivery-receipts.ts";
import type { ReportCounter } from "../../../outbox/report-counter.ts";
import { field, items } from "../http/http-post.ts";
import { whatsappMarker, whatsappProvider } from "./whatsapp.ts";
import { isWhatsappUndeliverable, whatsappFailureReason, whatsappMessageId } from "./whatsapp-outcome.ts";

export interface WhatsappWebhookDependencies {
  readonly database: Queryable;
  readonly logger: Logger;
  readonly events: Pick<EventLog, "committed">;
  readonly reports: Pick<ReportCounter, "count">;
  readonly now: () => Date;
  /** The Meta app's secret, which it signs its requests with. */
  readonly appSecret: string;
  /** The verify token that the operator entered at Meta. */
  readonly verifyToken: string;
}

/** A request as the server received it. */
export interface WebhookRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  /** The header `X-Hub-Signature-256`. */
  readonly signature: string | undefined;
  /** Reads the raw body. Not called if the request is refused without it. */
  readonly body: () => Promise<Buffer>;
}

export interface WebhookResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A report can arrive before its message is recorded. It is refused for this long, so that Meta repeats it. */
const recordDelayMs = 60_000;

/**
 * Answers Meta's requests to `/webhooks/whatsapp`: the challenge of a subscription (GET), and delivery reports (POST), signed
 * over the raw body. Throws database errors: Meta then repeats the report.
 */
export async function handleWhatsappWebhook(
  deps: WhatsappWebhookDependencies,
  request: WebhookRequest,
): Promise<WebhookResponse> {
  switch (request.method) {
    case "GET":
      return answerChallenge(deps, request.query);
    case "POST":
      return receiveReport(deps, request);
    default:
      return respond(405, "", { Allow: "GET, POST" });
  }
}

function answerChallenge(deps: WhatsappWebhookDependencies, query: URLSearchParams): WebhookResponse {
  const challenge = query.get("hub.challenge") ?? "";
  const isForUs =
    query.get("hub.mode") === "subscribe" && isEqual(query.get("hub.verify_token") ?? "", deps.verifyToken);
  if (!isForUs || !/^[\w.~-]{1,256}$/.test(challenge)) {
    deps.logger.warn("whatsapp_subscription_refused");
    return respond(403, "");
  }
  return respond(200, challenge);
}

const signaturePattern = /^sha256=[0-9a-f]{64}$/;

async function receiveReport(deps: WhatsappWebhookDependencies, request: WebhookRequest): Promise<WebhookResponse> {
  const given = request.signature ?? "";
  const body = signaturePattern.test(given) ? await request.body() : undefined;
  if (
    body === undefined ||
    !isEqual(given, `sha256=${createHmac("sha256", deps.appSecret).update(body).digest("hex")}`)
  ) {
    deps.logger.warn("whatsapp_signature_refused");
    return respond(401, "");
  }
  const statuses = parseWhatsappStatuses(body);
  if (statuses === undefined) {
    return respond(400, "");
  }
  const source = { lane: "whatsapp", provider: whatsappProvider };
  const known = await recordReceipts(deps.database, source, statuses);
  deps.reports.count(source, statuses, known);
  deps.events.committed();
  const isRecent = (at: Date) => deps.now().getTime() - at.getTime() < recordDelayMs;
  const isEarly = statuses.some((status) => status.isOurs && !known.has(status.messageId) && isRecent(status.at));
  return isEarly ? respond(503, "", { "Retry-After": "1" }) : respond(200, "");
}

function respond(status: number, body: string, headers: Readonly<Record<string, string>> = {}): WebhookResponse {
  return { status, body, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers } };
}

/** Compares in constant time. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** The delivery report of one message. */
interface WhatsappStatus extends Receipt {
  /** Whether this server sent the message, and not another program with the same number. */
  readonly isOurs: boolean;
}

const states = ["sent", "delivered", "read", "failed"] as const;

/**
 * The delivery reports in the body of a webhook request. Other events (incoming messages, template changes) are left
 * out. Undefined if the body is not JSON.
 */
function parseWhatsappStatuses(body: Buffer): WhatsappStatus[] | undefined {
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
  const code = field(items(field(status, "errors"))[0], "code");
  return [
    {
      messageId,
      state,
      at: new Date(seconds * 1_000),
      error: state === "failed" ? whatsappFailureReason(code) : null,
      undeliverable: state === "failed" && isWhatsappUndeliverable(code),
      isOurs: field(status, "biz_opaque_callback_data") === whatsappMarker,
    },
  ];
}
