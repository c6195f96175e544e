import type { Json } from "./converters.ts";
import { isObject } from "./converters.ts";
import { ByondError } from "./errors.ts";
import { messages } from "./generated/operations.ts";
import type { Event, Mode } from "./generated/types.ts";
import { hmacSha256, isEqual, toBase64, toHex, utf8 } from "./hmac.ts";

/** The event of a test that `webhooks.test` sends. It is about nothing. */
export interface PingEvent {
  /** Its id: `evt_` and 22 letters and digits. */
  readonly id: string;
  /** Tells it from all other events. */
  readonly type: "ping";
  /** The mode of the webhook. */
  readonly mode: Mode;
  /** When it was sent. */
  readonly createdAt: Date;
  /** Nothing. */
  readonly data: null;
}

/** Headers of a request: a `Headers` object, or those of Node. Names are matched in any case. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** How far the time of a signature may be from now. */
const toleranceMs = 5 * 60_000;
const secretPrefix = "whsec_";

/**
 * Verifies a webhook, and returns its event. Pass the body as it arrived: bytes or text, not JSON that was parsed and written again. Either of the
 * two signatures is enough: that of Standard Webhooks (`webhook-signature`), or `byond-signature`.
 *
 * @param secret - The secret of the endpoint: `whsec_…`.
 * @throws {@link ByondError} with `webhook_signature_invalid` or `webhook_signature_expired`.
 *
 * @example
 * ```ts
 * const event = await verifyWebhook(request.headers, await request.text(), secret);
 * if (event.type === "verification.approved") console.log(event.data.verificationId);
 * ```
 */
export async function verifyWebhook(
  headers: WebhookHeaders,
  body: string | Uint8Array,
  secret: string,
): Promise<Event | PingEvent> {
  if (secret === "" || secret === secretPrefix) {
    // Not configured: everybody can sign with it.
    throw new Error("The secret of the webhook is empty.");
  }
  const bytes = typeof body === "string" ? utf8(body) : body;
  const header = (name: string) => readHeader(headers, name);
  const timeMs = (await verifyStandard(header, bytes, secret)) ?? (await verifyByond(header, bytes, secret));
  if (timeMs === undefined) {
    throw new ByondError("The webhook is not signed with this secret, or its body is not the one that was signed.", {
      code: "webhook_signature_invalid",
    });
  }
  if (Math.abs(Date.now() - timeMs) > toleranceMs) {
    throw new ByondError("The webhook was signed more than five minutes ago, or the clock is wrong.", {
      code: "webhook_signature_expired",
    });
  }
  const event: Json = JSON.parse(new TextDecoder().decode(bytes));
  return messages.Event.read(event, isObject(event) ? event : {}) as Event | PingEvent;
}

/** A webhook of a test. */
export interface UnsignedWebhook {
  /** The id of the event. */
  readonly id: string;
  /** The body, as it will be sent. */
  readonly body: string;
  /** The secret that the receiver verifies with. */
  readonly secret: string;
}

/**
 * Signs a webhook as the server does, for tests of your endpoint.
 *
 * @returns The headers of both signatures.
 */
export async function signWebhook(
  { id, body, secret }: UnsignedWebhook,
  now = Date.now(),
): Promise<Record<string, string>> {
  const bytes = utf8(body);
  const timestamp = String(Math.floor(now / 1_000));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${await standardSignature(secret, id, timestamp, bytes)}`,
    "byond-signature": `t=${now},v1=${await byondSignature(secret, String(now), bytes)}`,
  };
}

type ReadHeader = (name: string) => string | undefined;

/** The time of the signature in milliseconds; undefined if it is missing, malformed or wrong. */
async function verifyStandard(header: ReadHeader, body: Uint8Array, secret: string): Promise<number | undefined> {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) => header(`webhook-${name}`));
  if (id === undefined || signatures === undefined || timestamp === undefined || !/^\d+$/.test(timestamp)) {
    return undefined;
  }
  const expected = `v1,${await standardSignature(secret, id, timestamp, body)}`;
  return signatures.split(" ").some((signature) => isEqual(signature, expected))
    ? Number(timestamp) * 1_000
    : undefined;
}

async function verifyByond(header: ReadHeader, body: Uint8Array, secret: string): Promise<number | undefined> {
  const [time = "", ...signatures] = (header("byond-signature") ?? "").split(",").map((part) => part.trim());
  const [, timestamp] = /^t=(\d+)$/.exec(time) ?? [];
  if (timestamp === undefined) {
    return undefined;
  }
  const expected = `v1=${await byondSignature(secret, timestamp, body)}`;
  return signatures.some((signature) => isEqual(signature, expected)) ? Number(timestamp) : undefined;
}

async function standardSignature(secret: string, id: string, timestamp: string, body: Uint8Array): Promise<string> {
  const key = Uint8Array.from(atob(secret.replace(secretPrefix, "")), (character) => character.charCodeAt(0));
  return toBase64(await hmacSha256(key, utf8(`${id}.${timestamp}.`), body));
}

async function byondSignature(secret: string, timestamp: string, body: Uint8Array): Promise<string> {
  return toHex(await hmacSha256(utf8(secret), utf8(`${timestamp}.`), body));
}

function readHeader(headers: WebhookHeaders, name: string): string | undefined {
  if (headers instanceof Headers) {
    return headers.get(name) ?? undefined;
  }
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === "string" ? value : value?.join(",");
}
