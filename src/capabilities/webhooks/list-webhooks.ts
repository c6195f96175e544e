import type { Mode } from "../../access/caller.ts";
import { WorkspaceEntity } from "../../access/workspace.entity.ts";
import type { Database } from "../../database/database.ts";
import { type WebhookEndpoint, WebhookEndpointEntity } from "./webhook-endpoint.entity.ts";
import { maxEndpoints } from "./webhooks.policy.ts";

/** The endpoints of a workspace's mode, newest first. */
export async function listWebhooks(
  deps: { readonly database: Pick<Database, "withEntities"> },
  owner: { readonly workspaceId: string; readonly mode: Mode },
): Promise<readonly WebhookEndpoint[]> {
  const { workspaceId, mode } = owner;
  return deps.database.withEntities([WebhookEndpointEntity, WorkspaceEntity], (entities) =>
    entities.find(
      WebhookEndpointEntity,
      { workspaceId, mode },
      { orderBy: [{ createdAt: "desc" }, { id: "desc" }], limit: maxEndpoints, disableIdentityMap: true },
    ),
  );
}
