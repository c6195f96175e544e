import { defineEntity, p } from "@mikro-orm/core";
import { WebhookEndpointEntity } from "./webhook-endpoint.entity.ts";

/** A secret that signs the deliveries to an endpoint, sealed. */
export const WebhookSecretEntity = defineEntity({
  name: "WebhookSecret",
  tableName: "webhook_secret",
  properties: {
    endpointId: p
      .manyToOne(WebhookEndpointEntity)
      .mapToPk()
      .primary()
      .fieldNames("endpoint_id")
      .index(false)
      .foreignKeyName("webhook_secret_endpoint_id_fkey")
      .deleteRule("cascade"),
    /** Counts the endpoint's secrets. The highest is the current one. */
    number: p.integer().primary(),
    /** The master secret that it is sealed with. */
    secretId: p.text(),
    sealed: p.blob(),
    /** Null: the current one. */
    validUntil: p.datetime().nullable(),
  },
  indexes: [{ name: "webhook_secret_of_master_secret", properties: ["secretId"] }],
});
