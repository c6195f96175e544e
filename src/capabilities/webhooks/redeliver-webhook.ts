import { type Caller, credentialOf } from "../../access/caller.ts";
import { isId } from "../../crypto/ids.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { getWebhook, type WebhookReference } from "./get-webhook.ts";
import { type DeliveryView, findDelivery } from "./webhook-deliveries.ts";

const queue = statement<{ id: string }>("queue_webhook_redelivery")(
  { workspaceId: text, endpointId: text, eventId: text },
  (p) => `
    SELECT webhook_queue_deliveries(
      ARRAY[${p.workspaceId}], ARRAY[${p.endpointId}], ARRAY[id], ARRAY[type], ARRAY[subject_id]
    ) AS id
    FROM event WHERE id = ${p.eventId}`,
);

/**
 * Queues a new delivery of the event of an earlier one. Throws `not_found` if the workspace has no such endpoint in this mode, the
 * endpoint no such delivery, or the event is deleted; `invalid_request` if the endpoint is disabled; and `invalid_api_key` if the
 * credential no longer holds. `beforeCommit` runs last in the transaction.
 */
export async function redeliverWebhook(
  deps: { readonly database: Database },
  caller: Caller,
  { deliveryId, ...reference }: WebhookReference & { readonly deliveryId: string },
  beforeCommit: (transaction: Queryable, delivery: DeliveryView) => Promise<void>,
): Promise<DeliveryView> {
  const endpoint = await getWebhook(deps, reference);
  const endpointId = endpoint.id;
  const earlier = isId("dlv", deliveryId) ? await findDelivery(deps, { endpointId, id: deliveryId }) : undefined;
  if (earlier === undefined) {
    throw new AppError("not_found", "There is no delivery with this id.");
  }
  if (!endpoint.enabled) {
    throw new AppError("invalid_request", "The webhook is disabled: enable it first.");
  }
  return deps.database.transaction(async (transaction) => {
    const { workspaceId } = reference;
    const [queued] = await transaction.run(queue, { workspaceId, endpointId, eventId: earlier.eventId });
    const delivery = queued && (await findDelivery({ database: transaction }, { endpointId, id: queued.id }));
    if (delivery === undefined) {
      throw new AppError("not_found", "The event of this delivery is deleted.");
    }
    await lockCredential(transaction, credentialOf(caller));
    await beforeCommit(transaction, delivery);
    return delivery;
  });
}
