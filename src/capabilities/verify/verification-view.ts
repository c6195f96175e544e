import { type Keyring, unseal } from "../../crypto/keyring.ts";
import { array, type Placeholders, text } from "../../database/statement.ts";
import { channelOfLane } from "../channels/channels.ts";
import { type Approval, type ChannelName, maskRecipient } from "../channels/outgoing-message.ts";
import { unsealApproval } from "./approval.ts";
import { fallbackKind, type StoredFallback } from "./fallback/fallback-step.ts";
import { type FallbackRow, type FallbackView, fallbackViews, stepsOf } from "./fallback/fallback-view.ts";
import { formOf, recipientContext, secondRecipientContext } from "./recipient.ts";

export const statuses = ["pending", "approved", "expired", "locked", "canceled", "channel_unavailable"] as const;
export type VerificationStatus = (typeof statuses)[number];
export type DeliveryStatus = "queued" | "sent" | "delivered" | "read" | "failed" | "expired";

/** A message that carries a code, and its delivery status. */
export interface DeliveryView {
  readonly id: string;
  readonly channel: ChannelName | undefined;
  /** Masked. Null: erased or not known. */
  readonly recipient: string | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly provider: string | null;
  readonly providerMessageId: string | null;
  readonly segments: number | null;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
}

/** A verification as its workspace sees it: without the code, and with the recipient masked. */
export interface VerificationView {
  readonly id: string;
  readonly channel: ChannelName;
  readonly status: VerificationStatus;
  /** Masked. Null: erased. */
  readonly recipient: string | null;
  readonly attemptsLeft: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly approvedAt: Date | null;
  readonly deliveries: readonly DeliveryView[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly fallback: readonly FallbackView[];
  readonly hasFixedCode: boolean;
  /** The payment that the code approves. Null: there is none, or it is erased. */
  readonly approval: Approval | null;
}

/** The parameters of `viewText`: the workspace, and the ids of the master secrets that the server knows. */
export const viewParameters = { workspaceId: text, knownSecrets: array(text) };

/** SQL of the status at this moment. A statement that asks more than once passes `now`, as the clock goes on while it runs. */
export const currentStatus = (p: Placeholders<typeof viewParameters>, now = "byond_now()") => `CASE
    WHEN status = 'pending' AND (expires_at <= ${now} OR secret_id <> ALL (${p.knownSecrets})) THEN 'expired'
    ELSE status
  END`;

/** The parts of a statement that reads views, in SQL. */
interface ViewParts {
  /** May use the columns of `verification`, and `current_status`. */
  readonly conditions: string;
  /** A table or subquery with the columns of `verification`. Default: the table. */
  readonly source?: string;
  /** See `currentStatus`. */
  readonly now?: string;
  /** Stands after the conditions, such as `ORDER BY`. */
  readonly tail?: string;
}

/** The text of a statement that reads views: its rows are `ViewRow`s. */
export function viewText(
  p: Placeholders<typeof viewParameters>,
  { conditions, source = "verification", now, tail = "" }: ViewParts,
): string {
  return `
    SELECT
      id, channel, current_status AS status, recipient_sealed, second_recipient_sealed,
      approval_sealed, created_at, expires_at, approved_at, metadata, fallback,
      fixed_code_id IS NOT NULL AS has_fixed_code,
      CASE WHEN current_status = 'pending' THEN max_attempts - attempts ELSE 0 END AS attempts_left,
      (
        SELECT coalesce(jsonb_agg(delivery ORDER BY delivery."createdAt", delivery.id), '[]')
        FROM (${deliveries}) AS delivery
      ) AS deliveries,
      ${stepsOf("verification.id", "verification.workspace_id", "verification.fallback")} AS steps
    FROM (SELECT *, ${currentStatus(p, now)} AS current_status FROM ${source} AS verification) AS verification
    WHERE workspace_id = ${p.workspaceId} AND ${conditions}
    ${tail}`;
}

/**
 * The messages of a verification, each with its newest attempt. The rows become JSON, so keys keep their spelling. `OFFSET 0` stops
 * the planner from reading all messages of the workspace by the primary key.
 */
const deliveries = `
  SELECT
    outbox.id, outbox.lane, outbox.attempts,
    CASE outbox.status WHEN 'pending' THEN 'queued' WHEN 'sent' THEN attempt.state ELSE outbox.status END AS status,
    attempt.provider, attempt.provider_message_id AS "providerMessageId", attempt.segments, attempt.error,
    (extract(epoch FROM outbox.created_at) * 1000)::bigint AS "createdAt",
    (SELECT (extract(epoch FROM min(finished_at)) * 1000)::bigint
     FROM delivery_attempt
     WHERE workspace_id = outbox.workspace_id AND subject_id = outbox.subject_id AND outbox_id = outbox.id
       AND provider_message_id IS NOT NULL) AS "sentAt"
  FROM (SELECT * FROM outbox WHERE subject_id = verification.id OFFSET 0) AS outbox
  LEFT JOIN LATERAL (
    SELECT state, provider, provider_message_id, segments, error
    FROM delivery_attempt
    WHERE workspace_id = outbox.workspace_id AND subject_id = outbox.subject_id AND outbox_id = outbox.id
    ORDER BY claim DESC LIMIT 1
  ) AS attempt ON true
  WHERE outbox.workspace_id = verification.workspace_id AND outbox.kind <> '${fallbackKind}'`;

interface DeliveryRow
  extends Pick<DeliveryView, "id" | "attempts" | "provider" | "providerMessageId" | "segments" | "error"> {
  readonly lane: string;
  readonly status: DeliveryStatus | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly sentAt: number | null;
}

/** A verification as `viewText` reads it. */
export interface ViewRow extends Omit<VerificationView, "recipient" | "deliveries" | "fallback" | "approval"> {
  readonly recipientSealed: Buffer | null;
  readonly secondRecipientSealed: Buffer | null;
  readonly approvalSealed: Buffer | null;
  readonly deliveries: readonly DeliveryRow[];
  readonly fallback: StoredFallback | null;
  readonly steps: readonly FallbackRow[] | null;
}

/** The view of a row. */
export function viewOf(keyring: Keyring, workspaceId: string, row: ViewRow): VerificationView {
  const { recipientSealed, secondRecipientSealed, approvalSealed, deliveries, fallback, steps, ...view } = row;
  const first = masked(keyring, recipientContext(workspaceId, row.id), recipientSealed);
  const second = masked(keyring, secondRecipientContext(workspaceId, row.id), secondRecipientSealed);
  const recipientOf = (channel: ChannelName | undefined) => {
    if (channel === undefined) {
      return null;
    }
    return formOf(channel) === formOf(row.channel) ? first : second;
  };
  return {
    ...view,
    recipient: first,
    approval: unsealApproval(keyring, workspaceId, row.id, approvalSealed),
    deliveries: deliveries.map((delivery) => deliveryView(delivery, recipientOf)),
    fallback: fallbackViews(
      { verificationId: row.id, isPending: row.status === "pending", fallback, rows: steps },
      recipientOf,
    ),
  };
}

/** Null also if the server does not have the secret that the recipient was sealed with. */
function masked(keyring: Keyring, context: string, sealed: Buffer | null): string | null {
  const recipient = sealed === null ? undefined : unseal(keyring, "recipient-seal", context, sealed);
  return recipient === undefined ? null : maskRecipient(recipient);
}

function deliveryView(
  { lane, ...row }: DeliveryRow,
  recipientOf: (channel: ChannelName | undefined) => string | null,
): DeliveryView {
  const channel = channelOfLane(lane);
  return {
    ...row,
    channel,
    recipient: recipientOf(channel),
    status: row.status ?? "sent",
    createdAt: new Date(row.createdAt),
    sentAt: row.sentAt === null ? null : new Date(row.sentAt),
  };
}
