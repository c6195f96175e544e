import { sql } from "kysely";
import { type Caller, credentialOf, type Mode } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import type { WebhookEndpoint } from "./webhook-endpoint.entity.ts";
import { insertFirstSecret } from "./webhook-secrets.ts";
import type { WebhookTables } from "./webhook-tables.ts";
import { maxEndpoints } from "./webhooks.policy.ts";

export interface NewWebhook {
  readonly mode: Mode;
  readonly url: string;
  /** As events store them. Null: all. */
  readonly events: readonly string[] | null;
  readonly description: string | null;
  readonly apiVersion: string;
}

/** An endpoint that was just made. The only moment at which its secret is known. */
export interface CreatedWebhook {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

/**
 * Makes an endpoint. Throws `limit_reached` if the workspace has as many as it can in this mode, and `invalid_api_key` if the
 * credential no longer holds. `beforeCommit` runs last in the transaction.
 */
export async function createWebhook(
  deps: { readonly database: Database; readonly keyring: Keyring },
  caller: Caller,
  input: NewWebhook,
  beforeCommit: (transaction: Queryable, created: CreatedWebhook) => Promise<void>,
): Promise<CreatedWebhook> {
  const { workspaceId } = caller;
  const { events, mode } = input;
  return deps.database.transaction(async (transaction) => {
    // Endpoints of a workspace are made one after the other, so that they can be counted.
    await transaction.query((tables: WebhookTables) =>
      tables.selectFrom("workspace").select("id").where("id", "=", workspaceId).forNoKeyUpdate(),
    );
    const existing = await transaction.query((tables: WebhookTables) =>
      tables
        .selectFrom("webhook_endpoint")
        .select("id")
        .where("workspaceId", "=", workspaceId)
        .where("mode", "=", mode)
        .limit(maxEndpoints),
    );
    if (existing.length >= maxEndpoints) {
      throw new AppError(
        "limit_reached",
        `There are ${maxEndpoints} webhooks in this mode, which is the limit: delete one first.`,
      );
    }
    const [endpoint] = await transaction.query((tables: WebhookTables) =>
      tables
        .insertInto("webhook_endpoint")
        .values({
          ...input,
          id: createId("whk"),
          workspaceId,
          events: events && [...events],
          createdAt: sql<Date>`date_trunc('milliseconds', byond_now())`,
        })
        .returningAll(),
    );
    if (endpoint === undefined) {
      throw new TypeError("the INSERT of a webhook returned no row");
    }
    const created = { endpoint, secret: await insertFirstSecret(transaction, deps.keyring, endpoint.id) };
    await lockCredential(transaction, credentialOf(caller));
    await beforeCommit(transaction, created);
    return created;
  });
}
