import type { Queryable } from "../database/database.ts";
import { array, boolean, double, integer, nullable, statement, text } from "../database/statement.ts";
import { AppError } from "../errors.ts";
import { maxRecordingBatches, recordingBatchSize } from "./outbox.policy.ts";
import type { OutboxItem } from "./outbox.ts";
import type { MessageUsage, SendResult } from "./send-result.ts";

/** One attempt at an item, as it is recorded. */
export interface Attempt {
  readonly item: OutboxItem;
  readonly claim: number;
  readonly result: SendResult;
  /** With `retry`: when the item is due again. */
  readonly retryAfterMs: number;
  readonly tookMs: number;
}

export type OutboxStatus = "pending" | "sent" | "failed" | "expired";

/**
 * Records an attempt and updates the status of its message. `sent` counts whoever holds the claim by now; any other outcome
 * counts only if the claim is still this server's. A message to be tried again has no claimant, so that a renewal that is
 * under way cannot postpone it. The payload is deleted when the message is finished. The condition names the subject beside
 * the id, so that both indexes of the table fit, and not the status, for which `outbox_due` would do: the plan may have been made
 * while the table was empty.
 */
const recordAttempt = statement<{ status: OutboxStatus }>("outbox_record_attempt")(
  {
    workspaceId: text,
    subjectId: text,
    id: text,
    claim: integer,
    lane: text,
    outcome: text,
    provider: nullable(text),
    providerMessageId: nullable(text),
    awaitsReceipt: boolean,
    segments: nullable(integer),
    error: nullable(text),
    undeliverable: boolean,
    tookMs: double,
    retryAfterMs: double,
  },
  (p) => `
    WITH attempt AS (
      INSERT INTO delivery_attempt (
        workspace_id, subject_id, outbox_id, claim, lane, state, provider, provider_message_id, awaits_receipt, segments, error,
        undeliverable, started_at, finished_at
      )
      SELECT
        workspace_id, subject_id, id, ${p.claim}, ${p.lane},
        CASE ${p.outcome} WHEN 'retry' THEN 'retried' ELSE ${p.outcome} END, ${p.provider},
        ${p.providerMessageId}, ${p.awaitsReceipt}, ${p.segments}, ${p.error}, ${p.undeliverable},
        moment - ${p.tookMs} * interval '1 millisecond', moment
      FROM outbox, byond_now() AS moment
      WHERE workspace_id = ${p.workspaceId} AND subject_id = ${p.subjectId} AND id = ${p.id}
      ON CONFLICT DO NOTHING
    ), outcome AS (
      SELECT moment, due, CASE
        WHEN ${p.outcome} <> 'retry' THEN ${p.outcome}
        WHEN due < expires_at THEN 'pending'
        ELSE 'expired'
      END AS status
      FROM outbox, byond_now() AS moment,
        LATERAL (SELECT moment + ${p.retryAfterMs} * interval '1 millisecond' AS due) AS retry
      WHERE workspace_id = ${p.workspaceId} AND subject_id = ${p.subjectId} AND id = ${p.id}
    )
    UPDATE outbox
    SET attempts = attempts + 1, last_error = ${p.error}, available_at = due, status = outcome.status,
      finished_at = CASE WHEN outcome.status = 'pending' THEN NULL ELSE moment END,
      claimed_by = CASE WHEN outcome.status = 'pending' THEN NULL ELSE claimed_by END,
      payload_sealed = CASE WHEN outcome.status = 'pending' THEN payload_sealed END
    FROM outcome
    WHERE workspace_id = ${p.workspaceId} AND subject_id = ${p.subjectId} AND id = ${p.id} AND outbox.finished_at IS NULL
      AND (claim = ${p.claim} OR ${p.outcome} = 'sent')
    RETURNING outbox.status`,
);

/**
 * Records messages that were sent, and answers the places of those that were recorded, from 1. Rows that others have locked are
 * left out unless `waits`, so that two batches, or a batch and a cancellation, cannot wait for each other. Each is counted once in the usage of
 * its workspace, in the same transaction.
 */
const recordSent = statement<{ place: number }>("outbox_record_sent")(
  {
    workspaceIds: array(text),
    subjectIds: array(text),
    ids: array(text),
    claims: array(integer),
    lanes: array(text),
    providers: array(nullable(text)),
    providerMessageIds: array(nullable(text)),
    receiptsAwaited: array(boolean),
    segments: array(nullable(integer)),
    tookMs: array(double),
    modes: array(nullable(text)),
    channels: array(nullable(text)),
    countries: array(nullable(text)),
    keyIds: array(nullable(text)),
    waits: boolean,
  },
  (p) => `
    SELECT outbox_record_sent(
      ${p.workspaceIds}, ${p.subjectIds}, ${p.ids}, ${p.claims}, ${p.lanes}, ${p.providers},
      ${p.providerMessageIds}, ${p.receiptsAwaited}, ${p.segments}, ${p.tookMs},
      ${p.modes}, ${p.channels}, ${p.countries}, ${p.keyIds}, ${p.waits}
    ) AS place`,
);

/**
 * An attempt ended without anybody knowing whether the message was sent: it is paid for and counted, whatever comes later. A transaction of its own, before
 * the attempt is recorded: a crash between the two leaves a message that is tried again, and was counted. Whoever holds the claim by now.
 */
const countUnanswered = statement("outbox_count_unanswered")(
  {
    workspaceId: text,
    subjectId: text,
    id: text,
    mode: nullable(text),
    channel: nullable(text),
    country: nullable(text),
    keyId: nullable(text),
  },
  (p) => `
    SELECT outbox_count_unanswered(
      ${p.workspaceId}, ${p.subjectId}, ${p.id}, ${p.mode}, ${p.channel}, ${p.country}, ${p.keyId}
    )`,
);

interface WaitingAttempt {
  readonly attempt: Attempt;
  readonly resolve: (status: OutboxStatus | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Records attempts. Messages that were sent are recorded in batches: while a few are being recorded, the next one gathers, so that the
 * more messages there are, the fewer commits each of them costs. A few, so that one connection that has gone silent does not stop the
 * delivery.
 */
export class AttemptRecorder {
  readonly #database: Queryable;
  readonly #waiting: WaitingAttempt[] = [];
  #batchesUnderWay = 0;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** Returns the item's status after the attempt; undefined if another server has claimed the item. */
  record(attempt: Attempt): Promise<OutboxStatus | undefined> {
    if (attempt.result.kind !== "sent") {
      return this.#recordOne(attempt);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ attempt, resolve, reject });
      if (this.#batchesUnderWay < maxRecordingBatches) {
        void this.#recordWaiting();
      }
    });
  }

  async #recordWaiting(): Promise<void> {
    this.#batchesUnderWay += 1;
    while (this.#waiting.length > 0) {
      await this.#recordBatch(this.#waiting.splice(0, recordingBatchSize));
    }
    this.#batchesUnderWay -= 1;
  }

  /**
   * Never rejects: errors are for those that wait. A row that somebody holds keeps only its own attempt waiting, and a value that
   * the database refuses fails only its own attempt.
   */
  async #recordBatch(batch: readonly WaitingAttempt[]): Promise<void> {
    let recorded: ReadonlySet<number> = new Set();
    try {
      recorded = await this.#recordSent(
        batch.map(({ attempt }) => attempt),
        false,
      );
    } catch (error) {
      if (error instanceof AppError && error.code === "unavailable") {
        for (const { reject } of batch) {
          reject(error);
        }
        return;
      }
    }
    for (const [index, { attempt, resolve, reject }] of batch.entries()) {
      if (recorded.has(index)) {
        resolve("sent");
      } else {
        void this.#recordSent([attempt], true).then((places) => resolve(places.has(0) ? "sent" : undefined), reject);
      }
    }
  }

  /** Returns the indexes of those that were pending, and are sent. Unless it `waits`, the others have to be recorded one by one. */
  async #recordSent(attempts: readonly Attempt[], waits: boolean): Promise<ReadonlySet<number>> {
    const rows = await this.#database.run(recordSent, {
      workspaceIds: attempts.map(({ item }) => item.workspaceId),
      subjectIds: attempts.map(({ item }) => item.subjectId),
      ids: attempts.map(({ item }) => item.id),
      claims: attempts.map(({ claim }) => claim),
      lanes: attempts.map(({ item }) => item.lane),
      providers: attempts.map(({ result }) => result.providerName ?? null),
      providerMessageIds: attempts.map(({ result }) => (result.kind === "sent" ? result.providerMessageId : null)),
      receiptsAwaited: attempts.map(({ result }) => isReceiptAwaited(result)),
      segments: attempts.map(({ result }) => segmentsOf(result)),
      tookMs: attempts.map(({ tookMs }) => tookMs),
      modes: attempts.map(({ result }) => usageOf(result)?.mode ?? null),
      channels: attempts.map(({ result }) => usageOf(result)?.channel ?? null),
      countries: attempts.map(({ result }) => usageOf(result)?.country ?? null),
      keyIds: attempts.map(({ result }) => usageOf(result)?.keyId ?? null),
      waits,
    });
    return new Set(rows.map(({ place }) => place - 1));
  }

  async #recordOne({ item, claim, result, tookMs, retryAfterMs }: Attempt): Promise<OutboxStatus | undefined> {
    const { workspaceId, subjectId, id, lane } = item;
    if (result.mayBeSent === true) {
      const { mode = null, channel = null, country = null, keyId = null } = result.usage ?? {};
      await this.#database.run(countUnanswered, { workspaceId, subjectId, id, mode, channel, country, keyId });
    }
    const [row] = await this.#database.run(recordAttempt, {
      workspaceId,
      subjectId,
      id,
      lane,
      claim,
      tookMs,
      retryAfterMs,
      outcome: result.kind === "withdrawn" ? "failed" : result.kind,
      provider: result.providerName ?? null,
      providerMessageId: result.kind === "sent" ? result.providerMessageId : null,
      awaitsReceipt: isReceiptAwaited(result),
      segments: segmentsOf(result),
      error: result.kind === "sent" ? null : result.reason,
      undeliverable: result.kind === "failed" && result.undeliverable === true,
    });
    return row?.status;
  }
}

function segmentsOf(result: SendResult): number | null {
  return result.kind === "sent" ? (result.segments ?? null) : null;
}

function usageOf(result: SendResult): MessageUsage | undefined {
  return result.usage;
}

function isReceiptAwaited(result: SendResult): boolean {
  return result.kind === "sent" && result.awaitsReceipt === true;
}
