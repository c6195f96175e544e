import { claimMs } from "./outbox.policy.ts";
import type { SendResult, Settled } from "./send-result.ts";

/** A message that this server has claimed. */
export interface OutboxItem {
  readonly workspaceId: string;
  readonly id: string;
  /** Which sender it is for. */
  readonly kind: string;
  /** The queue of one provider, with places of its own (see `laneOf` in channels.ts), or of one receiver: see `LaneGroup`. */
  readonly lane: string;
  /** What the message is about, such as the verification's id. */
  readonly subjectId: string;
  readonly payloadSealed: Buffer;
  /** Attempts made before. */
  readonly attempts: number;
  /** How often the row was claimed, this time included. 1 for one that was just written. */
  readonly claim: number;
  readonly createdAt: Date;
  /** Nothing is sent from this moment on. By the database's clock, as is `createdAt`. */
  readonly expiresAt: Date;
  /** The server's monotonic time from before the statement that claimed it. */
  readonly claimedAtMs: number;
  /** The span that wrote the message: see `OpenSpan.traceParent`. Null or undefined: none. */
  readonly traceParent?: string | null;
}

/** Sends the items of one kind. */
export interface OutboxSender {
  /**
   * Makes one attempt, and settles soon after the signal aborts. Called again for the same item after `retry`, and, rarely,
   * by another server after a crash: the item's id is the same then. `hasWaited`: the attempt does not follow the commit at
   * once, so that the message may be no longer wanted.
   */
  send(item: OutboxItem, signal: AbortSignal, hasWaited: boolean): Promise<SendResult | Settled>;
  /** How long to wait after attempt number `attempts` failed. Default: `backoffMs`, for messages that a person waits for. */
  readonly backoffMs?: (attempts: number, random: () => number) => number;
}

/** SQL expressions for a row of the outbox, over the columns of `from` and the parameters of the statement. */
export interface OutboxInsert {
  /** A CTE: each of its rows becomes one of the outbox. */
  readonly from: string;
  readonly workspaceId: string;
  readonly id: string;
  readonly kind: string;
  readonly lane: string;
  readonly subjectId: string;
  readonly payloadSealed: string;
  /** The id of the server that runs the statement. */
  readonly claimedBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** The price of the message, and what it is charged to. Default: it costs nothing. */
  readonly charge?: { readonly price: string; readonly chargedTo: string };
  /** The span that the statement belongs to. Default: none. */
  readonly traceParent?: string;
}

/**
 * The text of an INSERT for a capability's own statement: the message is committed together with what it is about, or not at
 * all. The row is claimed by the server that writes it, which passes the item to `Platform.dispatch` right after the commit. If
 * the server crashes before, another one sends the message once the claim has expired.
 *
 * ```ts
 * const issue = statement<{ createdAt: Date }>("issue_badge")(
 *   { workspaceId: text, id: text, messageId: text, payload: bytea, serverId: text },
 *   (p) => `
 *     WITH issued AS (
 *       INSERT INTO badge (workspace_id, id) VALUES (${p.workspaceId}, ${p.id}) RETURNING byond_now() AS created_at
 *     ), queued AS (${outboxInsert({
 *       from: "issued",
 *       workspaceId: p.workspaceId,
 *       id: p.messageId,
 *       kind: "'badge'",
 *       lane: "'email'",
 *       subjectId: p.id,
 *       payloadSealed: p.payload,
 *       claimedBy: p.serverId,
 *       createdAt: "created_at",
 *       expiresAt: "created_at + interval '1 hour'",
 *     })})
 *     SELECT created_at FROM issued`,
 * );
 * ```
 *
 * The capability contributes the sender of the kind: `senders: { badge: new BadgeSender(…) }`.
 */
export function outboxInsert(columns: OutboxInsert): string {
  const { charge, traceParent } = columns;
  return `
    INSERT INTO outbox (
      workspace_id, id, kind, lane, subject_id, payload_sealed, claimed_by, available_at, created_at, expires_at
      ${charge === undefined ? "" : ", price, charged_to"} ${traceParent === undefined ? "" : ", trace_parent"}
    )
    SELECT
      ${columns.workspaceId}, ${columns.id}, ${columns.kind}, ${columns.lane}, ${columns.subjectId},
      ${columns.payloadSealed}, ${columns.claimedBy}, ${columns.createdAt} + interval '${claimMs} milliseconds',
      ${columns.createdAt}, ${columns.expiresAt}
      ${charge === undefined ? "" : `, ${charge.price}, ${charge.chargedTo}`} ${traceParent === undefined ? "" : `, ${traceParent}`}
    FROM ${columns.from}
    RETURNING id`;
}
