import type { Database, Queryable } from "../../database/database.ts";
import { integer, optional, statement, statementOfParts, text, timestamptz } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { runSweep } from "../../database/table-sweeps.ts";
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";
import { deliveryRetentionDays } from "./webhooks.policy.ts";

/** A delivery, with how far its message is. */
export interface DeliveryView {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly createdAt: Date;
  readonly responseStatus: number | null;
  readonly responseBody: string | null;
  /** Of the message. Null: it is deleted. */
  readonly status: "pending" | "sent" | "failed" | "expired" | null;
  readonly attempts: number | null;
  /** Null: there is no attempt to come, or it is being made. */
  readonly nextAttemptAt: Date | null;
  readonly error: string | null;
}

const parameters = {
  endpointId: text,
  id: optional(text),
  lastCreatedAt: optional(timestamptz),
  lastId: optional(text),
  limit: integer,
};

/** The message of each delivery is looked up by its key, whatever the planner makes of the tables' sizes. */
const list = statementOfParts<DeliveryView, "one" | "page">("list_webhook_deliveries")(
  parameters,
  (p, parts) => `
    SELECT delivery.id, event_id, event_type, delivery.created_at, response_status, response_body,
      message.status, message.attempts,
      CASE WHEN message.status = 'pending' AND message.claimed_by IS NULL THEN message.available_at END AS next_attempt_at,
      message.last_error AS error
    FROM (
      SELECT * FROM webhook_delivery
      WHERE endpoint_id = ${p.endpointId}
        ${parts.includes("one") ? `AND id = ${p.id}` : ""}
        ${parts.includes("page") ? `AND created_at <= ${p.lastCreatedAt} AND (created_at, id) < (${p.lastCreatedAt}, ${p.lastId})` : ""}
      ORDER BY created_at DESC, id DESC LIMIT ${p.limit}
    ) AS delivery
    LEFT JOIN LATERAL (
      SELECT status, attempts, claimed_by, available_at, last_error FROM outbox
      WHERE workspace_id = delivery.workspace_id AND id = delivery.id OFFSET 0
    ) AS message ON true
    ORDER BY delivery.created_at DESC, delivery.id DESC`,
);

/** A page of the deliveries to an endpoint, newest first. Throws `validation_error` for a page token that was not made here. */
export async function listDeliveries(
  { database }: { readonly database: Queryable },
  input: { readonly endpointId: string; readonly pageSize: number; readonly pageToken: string | undefined },
): Promise<{ readonly deliveries: readonly DeliveryView[]; readonly nextPageToken: string | undefined }> {
  const { endpointId, pageSize } = input;
  const last = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken, "dlv_");
  const rows = await database.run(list(last === undefined ? [] : ["page"]), {
    endpointId,
    id: undefined,
    lastCreatedAt: last?.createdAt,
    lastId: last?.id,
    limit: pageSize + 1,
  });
  const deliveries = rows.slice(0, pageSize);
  const lastOfPage = deliveries.at(-1);
  const hasMore = rows.length > pageSize && lastOfPage !== undefined;
  return { deliveries, nextPageToken: hasMore ? formatPageToken(lastOfPage) : undefined };
}

/** One delivery to an endpoint. Undefined: the endpoint has none with this id. */
export async function findDelivery(
  { database }: { readonly database: Queryable },
  { endpointId, id }: { readonly endpointId: string; readonly id: string },
): Promise<DeliveryView | undefined> {
  const [row] = await database.run(list(["one"]), {
    endpointId,
    id,
    lastCreatedAt: undefined,
    lastId: undefined,
    limit: 1,
  });
  return row;
}

const sweepBatchSize = 500;

const sweep = statement<{ count: number }>("sweep_webhook_deliveries")(
  {},
  () => `
    WITH old AS (
      SELECT workspace_id, id FROM webhook_delivery
      WHERE created_at <= (SELECT byond_now() - interval '${deliveryRetentionDays} days')
      ORDER BY created_at LIMIT ${sweepBatchSize}
      FOR UPDATE SKIP LOCKED
    ), attempts AS (
      DELETE FROM delivery_attempt USING old
      WHERE delivery_attempt.workspace_id = old.workspace_id AND delivery_attempt.subject_id = old.id
    ), messages AS (
      DELETE FROM outbox USING old WHERE outbox.workspace_id = old.workspace_id AND outbox.id = old.id
    ), deleted AS (
      DELETE FROM webhook_delivery USING old
      WHERE webhook_delivery.workspace_id = old.workspace_id AND webhook_delivery.id = old.id
      RETURNING webhook_delivery.id
    )
    SELECT count(*)::integer AS count FROM deleted`,
);

/** Deletes old deliveries, with their messages and attempts. */
export function webhookDeliverySweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return {
    name: "webhook deliveries",
    async removeBatch() {
      return (await runSweep(deps, sweep, {}))?.count === sweepBatchSize;
    },
  };
}
