import type { SendResult } from "./send-result.ts";

/** A message on its way, claimed by this server. */
export interface OutboxItem {
  readonly workspaceId: string;
  readonly id: string;
  /** Which sender it is for. */
  readonly kind: string;
  /** Whose places it takes: see `laneOf` in channels.ts. */
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
}

/** Sends the items of one kind. */
export interface OutboxSender {
  /**
   * Makes one attempt, and settles soon after the signal aborts. Called again for the same item after `retry`, and, rarely,
   * on another server after a crash: the item's id is what tells a repetition. `hasWaited`: it does not follow the commit at
   * once, so that it may not be wanted any more.
   */
  send(item: OutboxItem, signal: AbortSignal, hasWaited: boolean): Promise<SendResult>;
}

/**
 * How long a claim lasts unless it is renewed. A server that died is relieved of its messages after this time; one that
 * lives renews its claims three times as often.
 */
export const claimMs = 10_000;

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
}

/**
 * The text of an INSERT for a capability's own statement, as in `WITH started AS (…), queued AS (${outboxInsert(…)})
 * SELECT …`: the message exists exactly if what it is about does. The row is claimed by the server that writes it, which
 * hands the item to its worker (`dispatch`) right after the commit; if it dies before, another one takes over.
 */
export function outboxInsert(columns: OutboxInsert): string {
  return `
    INSERT INTO outbox (
      workspace_id, id, kind, lane, subject_id, payload_sealed, claimed_by, available_at, created_at, expires_at
    )
    SELECT
      ${columns.workspaceId}, ${columns.id}, ${columns.kind}, ${columns.lane}, ${columns.subjectId},
      ${columns.payloadSealed}, ${columns.claimedBy}, ${columns.createdAt} + interval '${claimMs} milliseconds',
      ${columns.createdAt}, ${columns.expiresAt}
    FROM ${columns.from}
    RETURNING id`;
}
