import type { ChannelName } from "../../channels/outgoing-message.ts";
import { fallbackKind, type Refusal, refusals, type StoredFallback, stepId } from "./fallback-step.ts";

/** A step of a verification's fallback, and what became of it. */
export interface FallbackView {
  readonly channel: ChannelName;
  /** Masked. Null: erased or not known. */
  readonly recipient: string | null;
  readonly afterSeconds: number;
  readonly status: "waiting" | "taken" | "skipped" | "refused";
  /** Null unless it was skipped or refused. */
  readonly reason: "delivered" | "ended" | Refusal | null;
  /** Null unless it was taken, as is the id of its message. */
  readonly takenAt: Date | null;
  readonly deliveryId: string | null;
}

/** A step's row, as `stepsOf` reads it. */
export interface FallbackRow {
  readonly id: string;
  readonly status: "pending" | "sent" | "failed" | "expired";
  readonly reason: string | null;
  /** Milliseconds since 1970. Null: it waits. */
  readonly finishedAt: number | null;
}

/**
 * SQL of the rows of the steps of the verification `subject`, as JSON. `at` is SQL of the moment that they are read as of; default: now. Null, and
 * not asked for, if it has no fallback.
 */
export function stepsOf(subject: string, workspaceId: string, fallback: string, at?: string): string {
  const [status, finishedAt, conditions] =
    at === undefined
      ? ["status", "finished_at", ""]
      : [
          `CASE WHEN finished_at > ${at} THEN 'pending' ELSE status END`,
          `CASE WHEN finished_at <= ${at} THEN finished_at END`,
          `AND created_at <= ${at}`,
        ];
  return `CASE WHEN ${fallback} IS NOT NULL THEN (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
      'id', id, 'status', ${status}, 'reason', last_error, 'finishedAt', (extract(epoch FROM ${finishedAt}) * 1000)::bigint
    )), '[]')
    FROM (SELECT * FROM outbox WHERE subject_id = ${subject} OFFSET 0) AS step
    WHERE workspace_id = ${workspaceId} AND kind = '${fallbackKind}' ${conditions}
  ) END`;
}

interface ViewedFallback {
  readonly verificationId: string;
  readonly isPending: boolean;
  readonly fallback: StoredFallback | null;
  readonly rows: readonly FallbackRow[] | null;
}

/** The views of the steps, in their order. A step without a row waits for the one before it, and shares its end. */
export function fallbackViews(
  { verificationId, isPending, fallback, rows }: ViewedFallback,
  recipientOf: (channel: ChannelName) => string | null,
): FallbackView[] {
  let fate: Pick<FallbackView, "status" | "reason"> = waiting;
  return (fallback?.steps ?? []).map(({ channel, afterSeconds, deliveryId }, index) => {
    const row = rows?.find(({ id }) => id === stepId(verificationId, index + 1));
    const own = row === undefined ? fate : fateOf(row);
    const { status, reason } = own.status === "waiting" && !isPending ? ended : own;
    fate = status === "skipped" ? { status, reason } : waiting;
    const isTaken = status === "taken";
    return {
      channel,
      recipient: recipientOf(channel),
      afterSeconds,
      status,
      reason,
      takenAt: isTaken && row?.finishedAt != null ? new Date(row.finishedAt) : null,
      deliveryId: isTaken ? deliveryId : null,
    };
  });
}

const waiting = { status: "waiting", reason: null } as const;
const ended = { status: "skipped", reason: "ended" } as const;

function fateOf({ status, reason }: FallbackRow): Pick<FallbackView, "status" | "reason"> {
  switch (status) {
    case "pending":
      return waiting;
    case "sent":
      return { status: "taken", reason: null };
    case "failed":
      return { status: "refused", reason: refusals.find((refusal) => refusal === reason) ?? "not_allowed" };
    case "expired":
      return reason === "delivered" ? { status: "skipped", reason } : ended;
  }
}
