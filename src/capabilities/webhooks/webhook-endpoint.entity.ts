import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { WorkspaceEntity } from "../../access/workspace.entity.ts";

/** An endpoint of a workspace's mode that events are sent to. */
export const WebhookEndpointEntity = defineEntity({
  name: "WebhookEndpoint",
  tableName: "webhook_endpoint",
  properties: {
    /** `whk_…` */
    id: p.text().primary(),
    workspaceId: p
      .manyToOne(WorkspaceEntity)
      .mapToPk()
      .fieldNames("workspace_id")
      .index(false)
      .foreignKeyName("webhook_endpoint_workspace_id_fkey"),
    mode: p.enum(["live", "test"]),
    url: p.text(),
    /** Types as events store them. Null: all. */
    events: p.array().nullable().check("cardinality(events) > 0"),
    description: p.text().nullable(),
    enabled: p.boolean().default(true),
    /** Null: enabled, or disabled by a call. */
    disabledReason: p.enum(["gone", "failing"]).nullable(),
    disabledAt: p.datetime().nullable(),
    /** The version of the API in which bodies are written. */
    apiVersion: p.text(),
    createdAt: p.datetime(),
    /** Since when every attempt has failed, and when the last one did. */
    failingSince: p.datetime().nullable(),
    failedAt: p.datetime().nullable(),
  },
  indexes: [
    {
      name: "webhook_endpoint_newest_first",
      expression:
        "CREATE INDEX webhook_endpoint_newest_first ON webhook_endpoint (workspace_id, mode, created_at DESC, id DESC)",
    },
  ],
});

export type WebhookEndpoint = InferEntity<typeof WebhookEndpointEntity>;
