import type { Queryable, Statement } from "../database/database.ts";

/** What a provider reports of a message after it took it. */
export interface Receipt {
  /** The provider's id of the message. */
  readonly messageId: string;
  readonly state: "sent" | "delivered" | "read" | "failed";
  readonly at: Date;
  /** With `failed`. */
  readonly error: string | null;
}

/**
 * Reports arrive in any order, more than once, and with gaps (what was read was delivered): a state never goes back, and a
 * message that reached a device did not fail.
 */
const recordReceiptsStatement: Statement = {
  name: "delivery_record_receipts",
  text: `
    WITH receipt AS (
      SELECT message_id,
        min(at) FILTER (WHERE state IN ('delivered', 'read')) AS delivered_at,
        min(at) FILTER (WHERE state = 'read') AS read_at,
        min(at) FILTER (WHERE state = 'failed') AS failed_at,
        min(error) FILTER (WHERE state = 'failed') AS error
      FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) AS report (message_id, state, at, error)
      GROUP BY message_id
    )
    UPDATE delivery_attempt AS attempt
    SET
      state = CASE
        WHEN attempt.state = 'read' OR receipt.read_at IS NOT NULL THEN 'read'
        WHEN attempt.state = 'delivered' OR receipt.delivered_at IS NOT NULL THEN 'delivered'
        WHEN receipt.failed_at IS NOT NULL THEN 'failed'
        ELSE attempt.state
      END,
      delivered_at = coalesce(attempt.delivered_at, receipt.delivered_at),
      read_at = coalesce(attempt.read_at, receipt.read_at),
      failed_at = coalesce(attempt.failed_at, receipt.failed_at),
      error = coalesce(attempt.error, nullif(receipt.error, ''))
    FROM receipt
    WHERE attempt.lane = 'whatsapp' AND attempt.provider_message_id = receipt.message_id
    RETURNING receipt.message_id`,
};

/** Records what a provider reports. Which of the messages are known. */
export async function recordReceipts(database: Queryable, receipts: readonly Receipt[]): Promise<ReadonlySet<string>> {
  if (receipts.length === 0) {
    return new Set();
  }
  const rows = await database.query<{ message_id: string }>(recordReceiptsStatement, [
    receipts.map((receipt) => receipt.messageId),
    receipts.map((receipt) => receipt.state),
    receipts.map((receipt) => receipt.at.toISOString()),
    receipts.map((receipt) => receipt.error ?? ""),
  ]);
  return new Set(rows.map((row) => row.message_id));
}
