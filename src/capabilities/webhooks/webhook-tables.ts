import type { WorkspaceEntity } from "../../access/workspace.entity.ts";
import type { TablesOf } from "../../database/table-query.ts";
import type { WebhookDeliveryEntity } from "./webhook-delivery.entity.ts";
import type { WebhookEndpointEntity } from "./webhook-endpoint.entity.ts";
import type { WebhookSecretEntity } from "./webhook-secret.entity.ts";

/** The tables of webhooks, and the workspaces that endpoints belong to. */
export type WebhookTables = TablesOf<
  typeof WebhookEndpointEntity | typeof WebhookSecretEntity | typeof WebhookDeliveryEntity | typeof WorkspaceEntity
>;
