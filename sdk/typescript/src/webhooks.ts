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
export type WebhookHeaders = Pick<Headers, "get"> | Readonly<Record<string, string | readonly string[] | undefined>>;

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
  const key = checkSecret(secret);
  const bytes = typeof body === "string" ? utf8(body) : body;
  const header = (name: string) => readHeader(headers, name);
  const timeMs = (await verifyStandard(header, bytes, key)) ?? (await verifyByond(header, bytes, key));
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
  const event = parseEvent(bytes);
  return messages.Event.read(event, isObject(event) ? event : {}) as Event | PingEvent;
}

function parseEvent(body: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new ByondError("The body of the webhook is not an event.", { code: "invalid_response", cause });
  }
}

/** Without the line break of a file. An empty secret, of a setting that is missing, would accept what anybody signs. */
function checkSecret(given: string): string {
  const secret = given.trim();
  if (secret === "" || secret === secretPrefix) {
    throw new TypeError("The secret of the webhook is empty.");
  }
  if (!/^(?:whsec_)?[A-Za-z0-9+/]{2,}={0,2}$/.test(secret)) {
    throw new TypeError("The secret of a webhook is whsec_ and base64.");
  }
  return secret;
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
  const key = checkSecret(secret);
  const bytes = utf8(body);
  const timestamp = String(Math.floor(now / 1_000));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${await standardSignature(key, id, timestamp, bytes)}`,
    "byond-signature": `t=${now},v1=${await byondSignature(key, String(now), bytes)}`,
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

/** Not `instanceof Headers`: frameworks have classes of their own. */
function hasGet(headers: WebhookHeaders): headers is Pick<Headers, "get"> {
  return typeof headers.get === "function";
}

function readHeader(headers: WebhookHeaders, name: string): string | undefined {
  if (hasGet(headers)) {
    return headers.get(name) ?? undefined;
  }
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === "string" ? value : value?.join(",");
}
