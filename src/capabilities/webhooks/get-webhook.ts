import type { Mode } from "../../access/caller.ts";
import { WorkspaceEntity } from "../../access/workspace.entity.ts";
import { isId } from "../../crypto/ids.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { type WebhookEndpoint, WebhookEndpointEntity } from "./webhook-endpoint.entity.ts";
import type { WebhookTables } from "./webhook-tables.ts";

/** Names an endpoint. It is found only in its own workspace and mode. */
export interface WebhookReference {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly id: string;
}

/** Returns an endpoint. Throws `not_found` if the workspace has no such endpoint in this mode. */
export async function getWebhook(
  deps: { readonly database: Pick<Database, "withEntities"> },
  { workspaceId, mode, id }: WebhookReference,
): Promise<WebhookEndpoint> {
  const endpoint = await deps.database.withEntities([WebhookEndpointEntity, WorkspaceEntity], (entities) =>
    entities.findOne(WebhookEndpointEntity, { workspaceId, mode, id }, { disableIdentityMap: true }),
  );
  if (endpoint === null) {
    throw webhookNotFound();
  }
  return endpoint;
}

/** Locks an endpoint. Throws `not_found` if the workspace has no such endpoint in this mode. */
export async function lockWebhook(
  transaction: QueryableTables,
  { workspaceId, mode, id }: WebhookReference,
): Promise<void> {
  const [found] = await transaction.query((tables: WebhookTables) =>
    tables
      .selectFrom("webhook_endpoint")
      .select("id")
      .where("workspaceId", "=", workspaceId)
      .where("mode", "=", mode)
      .where("id", "=", id)
      .forUpdate(),
  );
  if (found === undefined) {
    throw webhookNotFound();
  }
}

/**
 * Checks that a text has the form of an endpoint's id; throws `not_found` otherwise. A secret that is pasted in place of an id must not
 * get into the database's log.
 */
export function webhookIdOf(text: string): string {
  if (!isId("whk", text)) {
    throw webhookNotFound();
  }
  return text;
}

export function webhookNotFound(): AppError {
  return new AppError("not_found", "There is no webhook with this id.");
}
