import { type Keyring, unseal } from "../../crypto/keyring.ts";
import type { Queryable, Statement } from "../../database/database.ts";
import { channelOfLane } from "../channels/channels.ts";
import { maskRecipient } from "../channels/mask-recipient.ts";
import type { ChannelName } from "../channels/outgoing-message.ts";
import { formOf, recipientContext, secondRecipientContext } from "./recipient.ts";

export type VerificationStatus = "pending" | "approved" | "expired" | "locked" | "canceled" | "channel_unavailable";
export type DeliveryStatus = "queued" | "sent" | "delivered" | "read" | "failed" | "expired";

/** A message that carries a code, and what became of it. */
export interface DeliveryView {
  readonly id: string;
  readonly channel: ChannelName | undefined;
  /** Masked. Null once erased, and where it is not known. */
  readonly recipient: string | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly providerMessageId: string | null;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
}

/** A verification as its workspace may see it: everything but the code and the whole recipient. */
export interface VerificationView {
  readonly id: string;
  readonly channel: ChannelName;
  readonly status: VerificationStatus;
  /** Masked. Null once erased. */
  readonly recipient: string | null;
  readonly attemptsLeft: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly approvedAt: Date | null;
  readonly deliveries: readonly DeliveryView[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a verification is at this moment, in SQL; `$2` is the ids of the master secrets that the server knows. */
const currentStatus = `CASE
    WHEN status = 'pending' AND (expires_at <= byond_now() OR secret_id <> ALL ($2::text[])) THEN 'expired'
    ELSE status
  END`;

/** What a statement that reads views is made of: SQL. `$1` is the workspace and `$2` the ids of the known secrets. */
interface ViewParts {
  /** Over the columns of `verification` and `current_status`. */
  readonly conditions: string;
  /** Where the rows come from. Default: the table. */
  readonly source?: string;
  /** What follows the conditions. */
  readonly tail?: string;
}

/** A statement that reads views. */
export function viewStatement(name: string, { conditions, source = "verification", tail = "" }: ViewParts): Statement {
  return {
    name,
    text: `
      SELECT
        id, channel, current_status AS status, recipient_sealed, second_recipient_sealed,
        limit_indexes IS NOT NULL AS has_known_recipients, created_at, expires_at, approved_at, metadata,
        CASE WHEN current_status = 'pending' THEN max_attempts - attempts ELSE 0 END AS attempts_left,
        (
          SELECT coalesce(jsonb_agg(delivery ORDER BY delivery.created_at, delivery.id), '[]')
          FROM (${deliveries}) AS delivery
        ) AS deliveries
      FROM (SELECT *, ${currentStatus} AS current_status FROM ${source} AS verification) AS verification
      WHERE workspace_id = $1 AND ${conditions}
      ${tail}`,
  };
}

/** The messages of a verification, each with its newest attempt. */
const deliveries = `
  SELECT
    outbox.id, outbox.lane, outbox.attempts,
    CASE outbox.status WHEN 'pending' THEN 'queued' WHEN 'sent' THEN attempt.state ELSE outbox.status END AS status,
    attempt.provider_message_id, attempt.error,
    (extract(epoch FROM outbox.created_at) * 1000)::bigint AS created_at,
    (SELECT (extract(epoch FROM min(finished_at)) * 1000)::bigint
     FROM delivery_attempt
     WHERE workspace_id = outbox.workspace_id AND subject_id = outbox.subject_id AND outbox_id = outbox.id
       AND provider_message_id IS NOT NULL) AS sent_at
  FROM outbox
  LEFT JOIN LATERAL (
    SELECT state, provider_message_id, error
    FROM delivery_attempt
    WHERE workspace_id = outbox.workspace_id AND subject_id = outbox.subject_id AND outbox_id = outbox.id
    ORDER BY claim DESC LIMIT 1
  ) AS attempt ON true
  WHERE outbox.workspace_id = verification.workspace_id AND outbox.subject_id = verification.id`;

interface DeliveryRow {
  readonly id: string;
  readonly lane: string;
  readonly attempts: number;
  readonly status: DeliveryStatus | null;
  readonly provider_message_id: string | null;
  readonly error: string | null;
  /** Milliseconds since 1970. */
  readonly created_at: number;
  readonly sent_at: number | null;
}

type ViewRow = {
  readonly id: string;
  readonly channel: ChannelName;
  readonly status: VerificationStatus;
  readonly recipient_sealed: Buffer | null;
  readonly second_recipient_sealed: Buffer | null;
  /** False for what was erased, and for rows from before migration 0008, whose resends went to recipients that nobody noted. */
  readonly has_known_recipients: boolean;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly approved_at: Date | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly attempts_left: number;
  readonly deliveries: readonly DeliveryRow[];
};

/** Runs a statement made by `viewStatement`. `values` are those from `$3` on. */
export async function readViews(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  statement: Statement,
  workspaceId: string,
  values: Parameters<Queryable["query"]>[1],
): Promise<VerificationView[]> {
  const knownSecrets = deps.keyring.all.map((secret) => secret.id);
  const rows = await deps.database.query<ViewRow>(statement, [workspaceId, knownSecrets, ...values]);
  return rows.map((row) => {
    const context = [workspaceId, row.id] as const;
    const first = masked(deps.keyring, recipientContext(...context), row.recipient_sealed);
    const second = masked(deps.keyring, secondRecipientContext(...context), row.second_recipient_sealed);
    const recipientOf = (channel: ChannelName | undefined, isStart: boolean) => {
      if (channel === undefined || !(row.has_known_recipients || isStart)) {
        return null;
      }
      return formOf(channel) === formOf(row.channel) ? first : second;
    };
    return {
      id: row.id,
      channel: row.channel,
      status: row.status,
      recipient: first,
      attemptsLeft: row.attempts_left,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      approvedAt: row.approved_at,
      deliveries: row.deliveries.map((delivery, index) => deliveryView(delivery, (of) => recipientOf(of, index === 0))),
      metadata: row.metadata,
    };
  });
}

/** Null too where the secret that the recipient was sealed with is gone. */
function masked(keyring: Keyring, context: string, sealed: Buffer | null): string | null {
  const recipient = sealed === null ? undefined : unseal(keyring, "recipient-seal", context, sealed);
  return recipient === undefined ? null : maskRecipient(recipient);
}

function deliveryView(
  row: DeliveryRow,
  recipientOf: (channel: ChannelName | undefined) => string | null,
): DeliveryView {
  const channel = channelOfLane(row.lane);
  return {
    id: row.id,
    channel,
    recipient: recipientOf(channel),
    status: row.status ?? "sent",
    attempts: row.attempts,
    providerMessageId: row.provider_message_id,
    error: row.error,
    createdAt: new Date(row.created_at),
    sentAt: row.sent_at === null ? null : new Date(row.sent_at),
  };
}
