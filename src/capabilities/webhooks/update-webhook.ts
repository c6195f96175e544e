import { type UpdateWebhookRequest, WebhookChangesSchema } from "../../../gen/byond/v1/webhook_pb.ts";
import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Database } from "../../database/database.ts";
import { problemOf } from "../../errors.ts";
import { storedType } from "../../events/event-types.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { customerUrlProblem } from "../../outgoing/customer-url.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { lineProblem } from "../../text/display-name-rules.ts";
import { lockWebhook, type WebhookReference, webhookNotFound } from "./get-webhook.ts";
import type { WebhookEndpoint } from "./webhook-endpoint.entity.ts";
import type { WebhookTables } from "./webhook-tables.ts";

/** New values. Fields that are left out stay as they are. */
export interface WebhookChanges {
  readonly url?: string;
  readonly events?: readonly string[];
  readonly description?: string;
  readonly enabled?: boolean;
}

/**
 * Changes an endpoint. Enabling it, and giving it a URL, forgets that it failed. Throws `not_found` if the workspace has no such endpoint in this mode, and
 * `invalid_api_key` if the credential no longer holds.
 */
export async function updateWebhook(
  deps: { readonly database: Database },
  caller: Caller,
  reference: WebhookReference,
  { url, events, description, enabled }: WebhookChanges,
): Promise<WebhookEndpoint> {
  return deps.database.transaction(async (transaction) => {
    await lockWebhook(transaction, reference);
    const [updated] = await transaction.query((tables: WebhookTables) =>
      tables
        .updateTable("webhook_endpoint")
        .set((eb) => ({
          // So that there is something to set, whatever is left out.
          id: eb.ref("id"),
          url,
          events: events && [...events],
          description,
          enabled,
          ...(enabled === true ? { disabledReason: null, disabledAt: null } : {}),
          ...(enabled === true || url !== undefined ? { failingSince: null, failedAt: null } : {}),
          ...(enabled === false ? { disabledAt: eb.fn.coalesce("disabledAt", eb.fn<Date>("byond_now")) } : {}),
        }))
        .where("id", "=", reference.id)
        .returningAll(),
    );
    if (updated === undefined) {
      throw webhookNotFound();
    }
    await lockCredential(transaction, credentialOf(caller));
    return updated;
  });
}

/** The changes that a request names, as the operation takes them. */
export function webhookChangesOf(request: UpdateWebhookRequest): WebhookChanges {
  const { url, events, description, enabled } = namedChanges(updateOf(request));
  return {
    ...(url !== undefined && { url }),
    ...(events !== undefined && { events: storedTypes(events.types) }),
    ...(description !== undefined && { description }),
    ...(enabled !== undefined && { enabled }),
  };
}

/** Types as events store them. */
export function storedTypes(types: readonly Parameters<typeof storedType>[0][]): string[] {
  return types.map(storedType).filter((type) => type !== undefined);
}

/** Problems of the changes that the schema cannot express. */
export function webhookChangesProblems(request: UpdateWebhookRequest, rules: DestinationRules): Record<string, string> {
  const { url, description } = request.webhook ?? {};
  return {
    ...updateMaskProblems(updateOf(request), "webhook", {
      events: "to send all types, create a webhook without events",
      description: 'to remove it, write ""',
    }),
    ...problemOf("webhook.url", url === undefined ? undefined : customerUrlProblem(url, rules)),
    ...problemOf(
      "webhook.description",
      description === undefined || description === "" ? undefined : lineProblem(description),
    ),
  };
}

function updateOf({ webhook, updateMask }: UpdateWebhookRequest) {
  return { schema: WebhookChangesSchema, changes: webhook, mask: updateMask };
}
