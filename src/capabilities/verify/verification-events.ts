import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { array, statement, text } from "../../database/statement.ts";
import type { EventObjects } from "../events/event-messages.ts";
import { fallbackKind } from "./fallback/fallback-step.ts";
import { stepsOf } from "./fallback/fallback-view.ts";
import { verificationMessage } from "./verification-proto.ts";
import { type DeliveryStatus, type ViewRow, viewOf } from "./verification-view.ts";

/** The snapshot of an event, as `verify-0003.migration.ts` writes it. Times are ISO 8601. */
interface Snapshot extends Pick<ViewRow, "channel" | "status" | "attemptsLeft"> {
  /** When it was taken. */
  readonly at: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly approvedAt: string | null;
  /** The message whose outcome is the event, and its status. Null: the event is not about a message. */
  readonly message: string | null;
  readonly messageStatus: DeliveryStatus | null;
  /** What reports group by. Absent in events of an earlier version. */
  readonly country?: string | null;
  readonly keyId?: string | null;
  readonly provider?: string | null;
  readonly sent?: boolean;
  /** What reports add up of the messages' prices. Absent in events that tell of no message, and of an earlier version. */
  readonly charged?: number | null;
  readonly refunded?: number | null;
}

/** What is read from the verification: an erasure has erased it there. */
type Current = Pick<
  ViewRow,
  | "recipientSealed"
  | "secondRecipientSealed"
  | "approvalSealed"
  | "metadata"
  | "hasFixedCode"
  | "deliveries"
  | "fallback"
  | "steps"
>;

/**
 * The messages of verifications as they were at a moment: those that there were, with the attempts that had ended. The times of receipts
 * are the provider's.
 */
const deliveriesAt = `
  SELECT
    outbox.id, outbox.lane, attempt.count AS attempts,
    CASE
      WHEN outbox.finished_at IS NULL OR outbox.finished_at > asked.at THEN 'queued'
      WHEN outbox.status <> 'sent' THEN outbox.status
      WHEN attempt.read_at <= asked.at THEN 'read'
      WHEN attempt.delivered_at <= asked.at THEN 'delivered'
      WHEN attempt.failed_at <= asked.at THEN 'failed'
      ELSE 'sent'
    END AS status,
    attempt.provider, attempt.provider_message_id AS "providerMessageId", attempt.segments, attempt.error,
    (extract(epoch FROM outbox.created_at) * 1000)::bigint AS "createdAt",
    (extract(epoch FROM attempt.sent_at) * 1000)::bigint AS "sentAt"
  FROM (SELECT * FROM outbox WHERE subject_id = asked.id OFFSET 0) AS outbox,
    LATERAL (
      SELECT
        count(*)::integer AS count,
        min(finished_at) FILTER (WHERE provider_message_id IS NOT NULL) AS sent_at,
        (array_agg(provider_message_id ORDER BY claim DESC))[1] AS provider_message_id,
        (array_agg(provider ORDER BY claim DESC))[1] AS provider,
        (array_agg(segments ORDER BY claim DESC))[1] AS segments,
        (array_agg(error ORDER BY claim DESC))[1] AS error,
        (array_agg(delivered_at ORDER BY claim DESC))[1] AS delivered_at,
        (array_agg(read_at ORDER BY claim DESC))[1] AS read_at,
        (array_agg(failed_at ORDER BY claim DESC))[1] AS failed_at
      FROM delivery_attempt
      WHERE workspace_id = outbox.workspace_id AND subject_id = outbox.subject_id AND outbox_id = outbox.id
        AND finished_at <= asked.at
    ) AS attempt
  WHERE outbox.workspace_id = asked.workspace_id AND outbox.created_at <= asked.at
    AND outbox.kind <> '${fallbackKind}'`;

const readCurrent = statement<Current & { place: number }>("read_verifications_of_events")(
  { workspaceIds: array(text), ids: array(text), moments: array(text) },
  (p) => `
    SELECT asked.place::integer, recipient_sealed, second_recipient_sealed, approval_sealed, metadata, fallback,
      fixed_code_id IS NOT NULL AS has_fixed_code, (
      SELECT coalesce(jsonb_agg(delivery ORDER BY delivery."createdAt", delivery.id), '[]')
      FROM (${deliveriesAt}) AS delivery
    ) AS deliveries,
    ${stepsOf("asked.id", "asked.workspace_id", "verification.fallback", "asked.at")} AS steps
    FROM (
        SELECT workspace_id, id, moment::timestamptz AS at, place
        FROM unnest(${p.workspaceIds}, ${p.ids}, ${p.moments}) WITH ORDINALITY AS listed (workspace_id, id, moment, place)
      ) AS asked,
      LATERAL (
        SELECT * FROM verification WHERE workspace_id = asked.workspace_id AND id = asked.id OFFSET 0
      ) AS verification`,
);

const deleted: Current = {
  recipientSealed: null,
  secondRecipientSealed: null,
  approvalSealed: null,
  metadata: {},
  hasFixedCode: false,
  deliveries: [],
  fallback: null,
  steps: null,
};

/** The verifications of events. One that is deleted is shown without recipient, metadata and messages. */
export function verificationEvents(deps: { readonly database: Queryable; readonly keyring: Keyring }): EventObjects {
  return {
    kind: "verification",
    async read(events) {
      const snapshots = events.map(({ snapshot }): Snapshot => JSON.parse(snapshot));
      const rows = await deps.database.run(readCurrent, {
        workspaceIds: events.map(({ workspaceId }) => workspaceId),
        ids: events.map(({ subjectId }) => subjectId),
        moments: snapshots.map(({ at }) => at),
      });
      const found = new Map(rows.map(({ place, ...row }) => [place - 1, row]));
      return snapshots.map((snapshot, index) => {
        const { workspaceId = "", subjectId = "" } = events[index] ?? {};
        const view = viewOf(deps.keyring, workspaceId, rowOf(subjectId, snapshot, found.get(index) ?? deleted));
        return { case: "verification", value: verificationMessage(view) };
      });
    },
  };
}

function rowOf(id: string, snapshot: Snapshot, { deliveries, ...current }: Current): ViewRow {
  const { channel, status, attemptsLeft, message, messageStatus, createdAt, expiresAt, approvedAt } = snapshot;
  return {
    channel,
    status,
    attemptsLeft,
    ...current,
    id,
    createdAt: new Date(createdAt),
    expiresAt: new Date(expiresAt),
    approvedAt: approvedAt === null ? null : new Date(approvedAt),
    deliveries: deliveries.map((delivery) =>
      delivery.id === message ? { ...delivery, status: messageStatus } : delivery,
    ),
  };
}
