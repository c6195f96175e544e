import { Offer } from "../../capability.ts";
import type { StoredEvent } from "../../events/event-log.ts";
import type { EventObjects } from "../events/event-messages.ts";
import { type ShownWebhook, webhookMessage } from "./webhook-proto.ts";

/** The snapshot of an event, as `webhooks-0001.migration.ts` writes it. Times are milliseconds since 1970. */
interface Snapshot extends Omit<ShownWebhook, "id" | "mode" | "disabledAt" | "createdAt"> {
  readonly disabledAt: number;
  readonly createdAt: number;
}

/** The endpoints of events. On offer before webhooks have started, since they need the events in turn. */
export function offerWebhookEvents(): Offer<EventObjects> {
  const offer = new Offer<EventObjects>("webhooks");
  offer.give({
    kind: "webhook",
    read: async (events) => events.map((event) => ({ case: "webhook", value: webhookMessage(endpointOf(event)) })),
  });
  return offer;
}

function endpointOf({ subjectId: id, mode, snapshot }: StoredEvent): ShownWebhook {
  const stored: Snapshot = JSON.parse(snapshot);
  return { ...stored, id, mode, disabledAt: new Date(stored.disabledAt), createdAt: new Date(stored.createdAt) };
}
