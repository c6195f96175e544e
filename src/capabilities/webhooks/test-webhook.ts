import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import { createId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { CustomerAnswer, PostToCustomer } from "../../outgoing/post-to-customer.ts";
import { deliveryHeaders } from "../../outgoing/webhook-signature.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { getWebhook, type WebhookReference } from "./get-webhook.ts";
import { isSuccess } from "./send-delivery.ts";
import { secretsOf } from "./webhook-secrets.ts";

/** What an endpoint answered to a ping. */
export interface PingResult {
  readonly succeeded: boolean;
  readonly answer: CustomerAnswer;
  readonly durationMs: number;
}

/**
 * Sends a ping to an endpoint, once. Throws `not_found` if the workspace has no such endpoint in this mode, and `invalid_api_key` if the
 * credential no longer holds.
 */
export async function testWebhook(
  deps: {
    readonly database: Database;
    readonly clock: Clock;
    readonly keyring: Keyring;
    readonly post: PostToCustomer;
  },
  caller: Caller,
  reference: WebhookReference,
  signal: AbortSignal,
): Promise<PingResult> {
  const { database, clock, keyring, post } = deps;
  const endpoint = await getWebhook(deps, reference);
  const secrets = await secretsOf(database, keyring, endpoint.id);
  if (secrets.length === 0) {
    throw new AppError("unavailable", "The secret of the webhook cannot be read at the moment.", {
      retryAfterSeconds: 60,
    });
  }
  await database.transaction((transaction) => lockCredential(transaction, credentialOf(caller)));
  const now = clock.now();
  const id = createId("evt");
  const createdAt = `${now.toISOString().slice(0, 19)}Z`;
  const body = JSON.stringify({ id, type: "ping", mode: reference.mode, created_at: createdAt, data: null });
  const startedMs = clock.monotonicMs();
  const answer = await post({
    url: endpoint.url,
    headers: deliveryHeaders(secrets, { id, body, now }),
    body: Buffer.from(body),
    signal,
  });
  return { succeeded: isSuccess(answer), answer, durationMs: Math.round(clock.monotonicMs() - startedMs) };
}
