import type { Queryable, Statement } from "../database/database.ts";
import { claimMs, type OutboxItem } from "./outbox.ts";
import type { SendResult } from "./send-result.ts";

/** An item, with the time it has left by the database's clock when it was claimed. */
export interface ClaimedItem {
  readonly item: OutboxItem;
  readonly remainingMs: number;
}

/** One attempt at an item, as it is recorded. */
export interface Attempt {
  readonly item: OutboxItem;
  readonly claim: number;
  readonly result: SendResult;
  /** With `retry`: when the item is due again. */
  readonly retryAfterMs: number;
  readonly tookMs: number;
}

/** What names a row. */
export type OutboxKey = Pick<OutboxItem, "workspaceId" | "id">;

export type OutboxStatus = "pending" | "sent" | "failed" | "expired";

/**
 * Claims what is due, oldest first, up to the number of places of each lane. Rows that another server is claiming at the
 * same time are skipped, not waited for. `(SELECT byond_now())` is evaluated once, so that the index serves the order.
 */
const claimDue: Statement = {
  name: "outbox_claim_due",
  text: `
    WITH due AS (
      SELECT found.workspace_id, found.id
      FROM unnest($1::text[], $2::text[]) AS wanted (lane, places)
      CROSS JOIN LATERAL (
        SELECT workspace_id, id
        FROM outbox
        WHERE status = 'pending' AND lane = wanted.lane
          AND available_at <= (SELECT byond_now()) AND expires_at > (SELECT byond_now())
        ORDER BY available_at
        LIMIT wanted.places::integer
        FOR UPDATE SKIP LOCKED
      ) AS found
    )
    UPDATE outbox
    SET claim = claim + 1, claimed_by = $3, available_at = byond_now() + interval '${claimMs} milliseconds'
    FROM due
    WHERE outbox.workspace_id = due.workspace_id AND outbox.id = due.id
    RETURNING outbox.*, extract(epoch FROM expires_at - byond_now())::float8 * 1000 AS remaining_ms`,
};

const renewClaims: Statement = {
  name: "outbox_renew_claims",
  text: `
    UPDATE outbox SET available_at = byond_now() + interval '${claimMs} milliseconds'
    FROM unnest($1::text[], $2::text[]) AS held (workspace_id, id)
    WHERE outbox.workspace_id = held.workspace_id AND outbox.id = held.id
      AND status = 'pending' AND claimed_by = $3
    RETURNING outbox.workspace_id, outbox.id`,
};

const releaseClaims: Statement = {
  name: "outbox_release_claims",
  text: `
    UPDATE outbox SET available_at = byond_now(), claimed_by = NULL
    FROM unnest($1::text[], $2::text[]) AS held (workspace_id, id)
    WHERE outbox.workspace_id = held.workspace_id AND outbox.id = held.id
      AND status = 'pending' AND claimed_by = $3`,
};

/**
 * Records an attempt and moves its message on. A message that went out is sent whoever holds the claim by now; any other
 * outcome counts only for the server whose claim it still is. A message to be tried again is nobody's, so that a renewal
 * under way cannot put it off. The payload goes when the message is finished. The subject is named beside the id, so that
 * either index of the table serves: which one is chosen while the table is empty must not matter.
 */
const recordAttempt: Statement = {
  name: "outbox_record_attempt",
  text: `
    WITH attempt AS (
      INSERT INTO delivery_attempt (
        workspace_id, subject_id, outbox_id, claim, lane, state, provider_message_id, error, started_at, finished_at
      )
      SELECT $1, $5, $2, $3, $6, CASE $4 WHEN 'retry' THEN 'retried' ELSE $4 END, $7, $8,
        moment - $9::float8 * interval '1 millisecond', moment
      FROM byond_now() AS moment
      ON CONFLICT DO NOTHING
    ), outcome AS (
      SELECT moment, due, CASE WHEN $4 <> 'retry' THEN $4 WHEN due < expires_at THEN 'pending' ELSE 'expired' END AS status
      FROM outbox, byond_now() AS moment, LATERAL (SELECT moment + $10::float8 * interval '1 millisecond' AS due) AS retry
      WHERE workspace_id = $1 AND subject_id = $5 AND id = $2
    )
    UPDATE outbox
    SET attempts = attempts + 1, last_error = $8, available_at = due, status = outcome.status,
      finished_at = CASE WHEN outcome.status = 'pending' THEN NULL ELSE moment END,
      claimed_by = CASE WHEN outcome.status = 'pending' THEN NULL ELSE claimed_by END,
      payload_sealed = CASE WHEN outcome.status = 'pending' THEN payload_sealed END
    FROM outcome
    WHERE workspace_id = $1 AND subject_id = $5 AND id = $2 AND outbox.status = 'pending' AND (claim = $3 OR $4 = 'sent')
    RETURNING outbox.status`,
};

/** Gives up, in small batches, on what expired while nobody was sending it. */
const expireOverdue: Statement = {
  name: "outbox_expire_overdue",
  text: `
    WITH overdue AS (
      SELECT workspace_id, id
      FROM outbox
      WHERE status = 'pending' AND lane = ANY($1)
        AND available_at <= (SELECT byond_now()) AND expires_at <= (SELECT byond_now())
      LIMIT 500
      FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox
    SET status = 'expired', finished_at = byond_now(), payload_sealed = NULL,
      last_error = coalesce(last_error, 'expired before it could be sent')
    FROM overdue
    WHERE outbox.workspace_id = overdue.workspace_id AND outbox.id = overdue.id
    RETURNING outbox.id`,
};

/** The statements on the outbox of one server. */
export class OutboxStore {
  readonly #database: Queryable;
  readonly #serverId: string;
  readonly #monotonicMs: () => number;

  constructor(database: Queryable, serverId: string, monotonicMs: () => number) {
    this.#database = database;
    this.#serverId = serverId;
    this.#monotonicMs = monotonicMs;
  }

  /** Claims due items for this server: at most `places` of each lane. */
  async claimDue(places: ReadonlyMap<string, number>): Promise<ClaimedItem[]> {
    const claimedAtMs = this.#monotonicMs();
    const rows = await this.#database.query<OutboxRow>(claimDue, [
      [...places.keys()],
      [...places.values()].map(String),
      this.#serverId,
    ]);
    return rows.map((row) => ({
      item: {
        workspaceId: row.workspace_id,
        id: row.id,
        kind: row.kind,
        lane: row.lane,
        subjectId: row.subject_id,
        payloadSealed: row.payload_sealed,
        attempts: row.attempts,
        claim: row.claim,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
        claimedAtMs,
      },
      remainingMs: row.remaining_ms,
    }));
  }

  /** Extends claims by `claimMs` from now. Tells which of them are still this server's. */
  async renew(keys: readonly OutboxKey[]): Promise<OutboxKey[]> {
    const rows = await this.#database.query<{ workspace_id: string; id: string }>(renewClaims, this.#keyValues(keys));
    return rows.map((row) => ({ workspaceId: row.workspace_id, id: row.id }));
  }

  /** Lets any server have the items at once. */
  async release(keys: readonly OutboxKey[]): Promise<void> {
    await this.#database.query(releaseClaims, this.#keyValues(keys));
  }

  /** Records an attempt. The item's status after it; undefined if another server has taken the item over. */
  async record(attempt: Attempt): Promise<OutboxStatus | undefined> {
    const { item, result } = attempt;
    const rows = await this.#database.query<{ status: OutboxStatus }>(recordAttempt, [
      item.workspaceId,
      item.id,
      attempt.claim,
      result.kind === "withdrawn" ? "failed" : result.kind,
      item.subjectId,
      item.lane,
      result.kind === "sent" ? result.providerMessageId : null,
      result.kind === "sent" ? null : result.reason,
      attempt.tookMs,
      attempt.retryAfterMs,
    ]);
    return rows[0]?.status;
  }

  /** Gives up on some of the items that expired unsent. How many they were. */
  async expireOverdue(lanes: readonly string[]): Promise<number> {
    return (await this.#database.query(expireOverdue, [lanes])).length;
  }

  #keyValues(keys: readonly OutboxKey[]) {
    return [keys.map((key) => key.workspaceId), keys.map((key) => key.id), this.#serverId];
  }
}

interface OutboxRow {
  workspace_id: string;
  id: string;
  kind: string;
  lane: string;
  subject_id: string;
  payload_sealed: Buffer;
  attempts: number;
  claim: number;
  created_at: Date;
  expires_at: Date;
  remaining_ms: number;
}
