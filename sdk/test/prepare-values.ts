/** The values that cases of one run name: an account of its own with keys, signed webhooks, addresses that nothing was sent to yet. */
import { createWebhookSecret, signDelivery } from "../../src/outgoing/webhook-signature.ts";
import type { Values } from "./cases.ts";
import type { Inbox } from "./inbox.ts";

const password = "correct horse battery";

/**
 * An account on the server, with a key for each way in which keys are restricted. Its address is verified, so that its live keys work. `name` is
 * unique on the server.
 */
export async function prepareAccount(serverUrl: string, inbox: Inbox, name: string): Promise<Values> {
  const post = async (path: string, body: unknown, session?: string): Promise<Record<string, string>> => {
    const response = await fetch(`${serverUrl}/api/v1${path}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }),
      },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`);
    }
    return answer as Record<string, string>;
  };
  const email = `${name}@example.com`;
  const { access_token: session } = await post("/auth/sign-up", { email, password, name: "Acme" });
  await post("/auth/verify-email", {}, session);
  await post("/auth/verify-email/check", { code: await inbox.codeFor(email) }, session);
  const createKey = async (restrictions: object): Promise<string | undefined> =>
    (await post("/api-keys", { name: "for the cases", ...restrictions }, session)).key;
  return {
    email,
    password,
    session,
    sandbox_key: await createKey({ mode: "test", scopes: ["*"] }),
    live_key: await createKey({}),
    lookup_key: await createKey({ mode: "test", scopes: ["lookup"] }),
    elsewhere_key: await createKey({ mode: "test", ip_allowlist: ["203.0.113.0/24"] }),
    publishable_key: await createKey({ mode: "test", origins: ["https://shop.example"] }),
    signing_key: await createKey({ mode: "test", min_signature_version: "v2" }),
  };
}

/** A delivery with its headers, as the server signs it. */
export function prepareWebhook(): Values {
  const secret = createWebhookSecret();
  const id = "evt_01hzy3v9k2m4n6p8q0r2s4";
  const body = JSON.stringify({
    id,
    type: "verification.approved",
    mode: "test",
    created_at: "2026-06-15T10:30:00Z",
    data: {
      verification_id: "vrf_01hzy3v9k2m4n6p8q0r2s4",
      channel: "email",
      status: "approved",
      metadata: { order: "Größe 7" },
    },
  });
  const now = new Date();
  const signed = (secrets: readonly string[], at = now) => {
    const headers = signDelivery(secrets, { id, body, now: at });
    const { "Byond-Signature": byond, ...standard } = headers;
    return { byond: { "byond-signature": byond }, standard };
  };
  const good = signed([secret]);
  const stale = signed([secret], new Date(now.getTime() - 10 * 60_000));
  const forged = signed([createWebhookSecret()]);
  const rotated = signed([createWebhookSecret(), secret]);
  const ping = JSON.stringify({ id, type: "ping", mode: "test", created_at: "2026-06-15T10:30:00Z", data: null });
  return {
    webhook_secret: secret,
    webhook_body: body,
    changed_webhook_body: body.replace("approved", "locked"),
    ping_body: ping,
    ping_standard: signDelivery([secret], { id, body: ping, now }),
    good_standard: good.standard,
    good_byond: good.byond,
    stale_standard: stale.standard,
    stale_byond: stale.byond,
    forged_standard: forged.standard,
    forged_byond: forged.byond,
    rotated_standard: rotated.standard,
    rotated_byond: rotated.byond,
  };
}

/** Values that no other case has: `case` is a word, the addresses are recipients. */
export function prepareCase(name: string): Values {
  return { case: name, address: `${name}@example.com`, other_address: `${name}-other@example.com` };
}
