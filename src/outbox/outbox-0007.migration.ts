import { Migration } from "@mikro-orm/migrations";

/** Whether an attempt, or a later report of the provider, showed that the recipient cannot receive messages of the channel. */
export class Outbox0007 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE delivery_attempt ADD COLUMN undeliverable boolean NOT NULL DEFAULT false");
    this.addSql(recordReceipt);
  }
}

/**
 * As the one of outbox-0003, which older servers use until they are replaced. What was delivered once is not undeliverable, in whatever
 * order the reports arrive.
 */
const recordReceipt = `
  CREATE FUNCTION delivery_record_receipt(
    message_id text, delivered timestamptz, was_read timestamptz, failed timestamptz, failure text, is_undeliverable boolean
  ) RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    UPDATE delivery_attempt
    SET
      state = CASE
        WHEN state = 'read' OR was_read IS NOT NULL THEN 'read'
        WHEN state = 'delivered' OR delivered IS NOT NULL THEN 'delivered'
        WHEN failed IS NOT NULL THEN 'failed'
        ELSE state
      END,
      delivered_at = coalesce(delivered_at, delivered),
      read_at = coalesce(read_at, was_read),
      failed_at = coalesce(failed_at, failed),
      error = coalesce(error, nullif(failure, '')),
      undeliverable = undeliverable OR (
        is_undeliverable AND failed IS NOT NULL AND coalesce(delivered_at, read_at, delivered, was_read) IS NULL
      )
    WHERE lane = 'whatsapp' AND provider_message_id = message_id;
    RETURN FOUND;
  END $$`;
