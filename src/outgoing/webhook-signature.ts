import { createHmac, randomBytes } from "node:crypto";
import { signBody } from "../crypto/sign-body.ts";

const prefix = "whsec_";
/** Standard Webhooks asks for 24 to 64 bytes. */
const secretBytes = 32;

/** A new secret of an endpoint: `whsec_` and the base64 of random bytes. */
export function createWebhookSecret(): string {
  return `${prefix}${randomBytes(secretBytes).toString("base64")}`;
}

/** What a delivery is signed over. */
export interface SignedDelivery {
  /** The same at every attempt, so that receivers can tell a repetition. */
  readonly id: string;
  readonly body: string;
  /** Of this attempt. */
  readonly now: Date;
}

/**
 * The headers that sign a delivery, with every secret that is in use: after a rotation with a grace period there are several.
 *
 * - Standard Webhooks (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` in seconds, and `webhook-signature`, which
 *   is `v1,<base64 HMAC-SHA256 of "<id>.<timestamp>.<body>">` under the bytes of the secret, once for each secret, after a space.
 * - `Byond-Signature`, as requests to the API have it: `signBody`, under the whole text of the secret.
 */
export function signDelivery(secrets: readonly string[], { id, body, now }: SignedDelivery): Record<string, string> {
  const timestamp = Math.floor(now.getTime() / 1_000);
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": `${timestamp}`,
    "webhook-signature": signatures.join(" "),
    "Byond-Signature": signBody(secrets, body, now),
  };
}

/** The headers of a delivery. */
export function deliveryHeaders(secrets: readonly string[], delivery: SignedDelivery): Record<string, string> {
  return {
    "Content-Type": "application/json",
    "User-Agent": "Byond-Webhooks/1",
    ...signDelivery(secrets, delivery),
  };
}
