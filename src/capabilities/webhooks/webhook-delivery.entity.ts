import { defineEntity, p } from "@mikro-orm/core";

/**
 * An event on its way to an endpoint. The message of the outbox with the same id says how far it is, and holds the body from the first
 * attempt until the last.
 */
export const WebhookDeliveryEntity = defineEntity({
  name: "WebhookDelivery",
  tableName: "webhook_delivery",
  properties: {
    workspaceId: p.text().primary(),
    /** `dlv_…` */
    id: p.text().primary(),
    endpointId: p.text(),
    eventId: p.text(),
    eventType: p.text(),
    createdAt: p.datetime(),
    /** Of the last attempt. Null: it was not answered. */
    responseStatus: p.integer().nullable(),
    responseBody: p.text().nullable(),
  },
  indexes: [
    { name: "webhook_delivery_of_endpoint", properties: ["endpointId", "createdAt", "id"] },
    { name: "webhook_delivery_oldest", properties: ["createdAt"] },
  ],
});
