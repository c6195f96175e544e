import type { Queryable } from "../database/database.ts";
import { array, boolean, statement, text, timestamptz } from "../database/statement.ts";

/** What a provider reports about a message that it accepted. */
export interface Receipt {
  /** The provider's id of the message. */
  readonly messageId: string;
  readonly state: "sent" | "delivered" | "read" | "failed";
  readonly at: Date;
  /** With `failed`. */
  readonly error: string | null;
  /** With `failed`: the recipient cannot receive messages of this channel. */
  readonly undeliverable?: boolean;
}

/** Who reports: message ids are a provider's own, and two providers may use the same. */
export interface ReceiptSource {
  /** The lane of its messages: `sms`, `voice` or `whatsapp`. */
  readonly lane: string;
  /** The provider's name, as it is recorded with attempts. */
  readonly provider: string;
}

/**
 * Receipts arrive in any order, more than once, and not all of them (a message that was read was delivered): a state never goes
 * back, and a message that was delivered did not fail.
 */
const recordStates = statement<{ messageId: string }>("delivery_record_receipts")(
  {
    lane: text,
    provider: text,
    messageIds: array(text),
    states: array(text),
    times: array(timestamptz),
    errors: array(text),
    undeliverable: array(boolean),
  },
  (p) => `
    WITH receipt AS (
      SELECT message_id,
        min(at) FILTER (WHERE state IN ('delivered', 'read')) AS delivered_at,
        min(at) FILTER (WHERE state = 'read') AS read_at,
        min(at) FILTER (WHERE state = 'failed') AS failed_at,
        min(error) FILTER (WHERE state = 'failed') AS error,
        bool_or(undeliverable AND state = 'failed') AS undeliverable
      FROM unnest(
        ${p.messageIds}, ${p.states}, ${p.times}, ${p.errors}, ${p.undeliverable}
      ) AS report (message_id, state, at, error, undeliverable)
      GROUP BY message_id
    )
    SELECT message_id FROM receipt
    WHERE delivery_record_receipt(
      ${p.lane}, ${p.provider}, message_id, delivered_at, read_at, failed_at, error, undeliverable
    )`,
);

/** Records receipts of one provider. Returns the ids of the messages that are known. */
export async function recordReceipts(
  database: Queryable,
  { lane, provider }: ReceiptSource,
  receipts: readonly Receipt[],
): Promise<ReadonlySet<string>> {
  if (receipts.length === 0) {
    return new Set();
  }
  const rows = await database.run(recordStates, {
    lane,
    provider,
    messageIds: receipts.map((receipt) => receipt.messageId),
    states: receipts.map((receipt) => receipt.state),
    times: receipts.map((receipt) => receipt.at),
    errors: receipts.map((receipt) => receipt.error ?? ""),
    undeliverable: receipts.map((receipt) => receipt.undeliverable === true),
  });
  return new Set(rows.map((row) => row.messageId));
}
