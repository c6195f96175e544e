import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { parseSignatureHeader } from "../../src/access/request-signature.ts";
import { hmacSha256 } from "../../src/crypto/hmac-sha256.ts";
import { createWebhookSecret, signDelivery } from "../../src/outgoing/webhook-signature.ts";

const id = "evt_0123456789abcdefghijkl";
const body = JSON.stringify({ type: "verification.approved", note: "é 中" });

test("a secret is whsec_ and the base64 of 32 bytes, another one each time", () => {
  const secret = createWebhookSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(createWebhookSecret()).not.toBe(secret);
});

describe("Standard Webhooks, as the package standardwebhooks verifies it", () => {
  const [secret, earlier, other] = [createWebhookSecret(), createWebhookSecret(), createWebhookSecret()];
  const headers = signDelivery([secret, earlier], { id, body, now: new Date() });

  test("each secret that is in use verifies, and no other", () => {
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(new Webhook(earlier).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(other).verify(body, headers)).toThrow(WebhookVerificationError);
  });

  test("another body, id or time does not", () => {
    const webhook = new Webhook(secret);
    expect(() => webhook.verify(`${body} `, headers)).toThrow(WebhookVerificationError);
    expect(() => webhook.verify(body, { ...headers, "webhook-id": "evt_x" })).toThrow(WebhookVerificationError);
    const late = signDelivery([secret], { id, body, now: new Date(Date.now() - 6 * 60_000) });
    expect(() => webhook.verify(body, late)).toThrow(WebhookVerificationError);
  });
});

test("Byond-Signature is that of a signed request, with the secret in place of the key, once for each secret", () => {
  const secrets = [createWebhookSecret(), createWebhookSecret()];
  const now = new Date("2026-06-15T12:00:00.123Z");
  const header = parseSignatureHeader(signDelivery(secrets, { id, body, now })["Byond-Signature"] ?? "");
  expect(header?.timestamp).toBe(String(now.getTime()));
  const expected = secrets.map((secret) => hmacSha256(Buffer.from(secret), `${now.getTime()}.${body}`));
  expect(header?.v1).toEqual(expected);
});
