/**
 * An adapter between Byond and a carrier for text messages and calls. It needs nothing but Node 24:
 *
 *     PROVIDER_SECRET=… node docs/provider-adapter/adapter.ts
 *
 * It prints messages instead of sending them. Put your carrier into `deliver` at the end, and point Byond at it with
 * SMS_URL=http://127.0.0.1:8090/ and the same PROVIDER_SECRET.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** What Byond posts. */
export interface Message {
  readonly id: string;
  readonly channel: "sms" | "voice";
  /** E.164, such as `+6591234567`. */
  readonly recipient: string;
  /** Ready to be sent, or read out. */
  readonly text: string;
  readonly code: string;
  readonly brand: string;
  readonly locale: string;
  readonly expires_at: string;
}

/** What became of a message at the carrier. */
export type Outcome =
  /** It has the message. Byond keeps the id with the attempt. `reportsDelivery`: `reportDelivery` will be called for it. */
  | { readonly kind: "accepted"; readonly messageId: string; readonly reportsDelivery?: boolean }
  /**
   * It will never take this message. `error` is letters and underscores; Byond keeps it as the reason. `undeliverable`: the number can
   * never receive such messages.
   */
  | { readonly kind: "refused"; readonly error: string; readonly undeliverable?: boolean }
  /** Not now. Byond tries again until the code expires. */
  | { readonly kind: "unavailable"; readonly retryAfterSeconds: number };

export interface AdapterOptions {
  readonly secret: string;
  readonly deliver: (message: Message) => Promise<Outcome>;
  readonly now?: () => number;
}

const signatureLifetimeMs = 5 * 60_000;
const rememberMs = 60 * 60_000;
const longestBodyBytes = 64 * 1024;

/** An HTTP server that takes messages from Byond, each of them once. */
export function createAdapter({ secret, deliver, now = Date.now }: AdapterOptions): Server {
  /** By Idempotency-Key: Byond repeats a request when it got no answer, and the carrier must not send twice. */
  const accepted = new Map<string, { readonly outcome: Promise<Outcome>; readonly atMs: number }>();

  async function deliverOnce(key: string, message: Message): Promise<Outcome> {
    for (const [oldKey, { atMs }] of accepted) {
      if (now() - atMs > rememberMs) accepted.delete(oldKey);
    }
    const known = accepted.get(key);
    if (known !== undefined) return known.outcome;

    const outcome = deliver(message).catch((): Outcome => ({ kind: "unavailable", retryAfterSeconds: 1 }));
    accepted.set(key, { outcome, atMs: now() });
    // Only what the carrier took is remembered: anything else may be tried again.
    if ((await outcome).kind !== "accepted") accepted.delete(key);
    return outcome;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const reply = (status: number, body: object, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));

    const body = await readBody(request);
    if (request.method !== "POST" || body === undefined) {
      return reply(400, { error: "bad_request" });
    }
    if (!isSigned(secret, request.headers["byond-signature"], body, now())) {
      return reply(401, { error: "bad_signature" });
    }
    const message: Message = JSON.parse(body.toString("utf8"));
    if (Date.parse(message.expires_at) <= now()) {
      return reply(422, { error: "expired" });
    }
    const outcome = await deliverOnce(message.id, message);
    switch (outcome.kind) {
      case "accepted":
        return reply(202, { message_id: outcome.messageId, reports_delivery: outcome.reportsDelivery === true });
      case "refused":
        return reply(422, { error: outcome.error, undeliverable: outcome.undeliverable === true });
      case "unavailable":
        return reply(503, { error: "unavailable" }, { "Retry-After": String(outcome.retryAfterSeconds) });
    }
  }

  return createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
}

/** What became of a message that the carrier had accepted. */
export interface Report {
  readonly message_id: string;
  readonly status: "sent" | "delivered" | "failed";
  /** With `failed`, as in an answer. */
  readonly error?: string;
  readonly undeliverable?: boolean;
}

/**
 * Tells Byond what the carrier reports of a message. `url` is `https://<Byond>/webhooks/sms/adapter`, or `…/voice/adapter`. False: report
 * it again in a second, as Byond has not recorded the message yet or cannot be reached.
 */
export async function reportDelivery(
  url: string,
  secret: string,
  report: Report,
  nowMs = Date.now(),
): Promise<boolean> {
  const body = JSON.stringify(report);
  const signature = createHmac("sha256", secret).update(`${nowMs}.${body}`).digest("hex");
  const headers = { "Content-Type": "application/json", "Byond-Signature": `t=${nowMs},v1=${signature}` };
  const response = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
  return response !== undefined && response.status < 500;
}

/** Checks `t=<unix ms>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>` over the bytes that came, and that it is recent. */
function isSigned(secret: string, header: string | string[] | undefined, body: Buffer, nowMs: number): boolean {
  const [, sentAt, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(header)) ?? [];
  if (sentAt === undefined || signature === undefined || Math.abs(nowMs - Number(sentAt)) > signatureLifetimeMs) {
    return false;
  }
  const expected = createHmac("sha256", secret).update(`${sentAt}.`).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(signature, "hex"));
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

if (import.meta.main) {
  const { PROVIDER_SECRET: secret, PORT: port = "8090" } = process.env;
  if (secret === undefined) {
    console.error("PROVIDER_SECRET is not set");
    process.exit(1);
  }
  // Here goes the request to your carrier. Use `message.id` as its idempotency key, if it has such a thing.
  const deliver = async (message: Message): Promise<Outcome> => {
    console.log(`${message.channel} to ${message.recipient}: ${message.text}`);
    return { kind: "accepted", messageId: `printed-${message.id}` };
  };
  createAdapter({ secret, deliver }).listen(Number(port), "127.0.0.1", () => {
    console.log(`Waiting for messages on http://127.0.0.1:${port}/`);
  });
}
