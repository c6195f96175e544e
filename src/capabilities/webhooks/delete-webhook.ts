import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Database } from "../../database/database.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { type WebhookReference, webhookNotFound } from "./get-webhook.ts";
import type { WebhookTables } from "./webhook-tables.ts";

/**
 * Deletes an endpoint and its secrets. What is on its way to it is given up when it is due; its deliveries are swept in time. Throws
 * `not_found` if the workspace has no such endpoint in this mode, and `invalid_api_key` if the credential no longer holds.
 */
export async function deleteWebhook(
  deps: { readonly database: Database },
  caller: Caller,
  { workspaceId, mode, id }: WebhookReference,
): Promise<void> {
  await deps.database.transaction(async (transaction) => {
    const deleted = await transaction.query((tables: WebhookTables) =>
      tables
        .deleteFrom("webhook_endpoint")
        .where("workspaceId", "=", workspaceId)
        .where("mode", "=", mode)
        .where("id", "=", id)
        .returning("id"),
    );
    if (deleted.length === 0) {
      throw webhookNotFound();
    }
    await lockCredential(transaction, credentialOf(caller));
  });
}
