import { Migration } from "@mikro-orm/migrations";

/** A message that was delivered after all shows no error, and its recipient can be reached. */
export class Outbox0009 extends Migration {
  override up(): void {
    this.addSql(recordReceipt);
  }
}

/** As the one of outbox-0008. Reports come in any order: a failure before a delivery is taken back, as one after it is not recorded. */
const recordReceipt = `
  CREATE OR REPLACE FUNCTION delivery_record_receipt(
    lane_name text, provider_name text, message_id text, delivered timestamptz, was_read timestamptz, failed timestamptz,
    failure text, is_undeliverable boolean
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
      error = CASE
        WHEN coalesce(delivered_at, read_at, delivered, was_read) IS NULL THEN coalesce(error, nullif(failure, ''))
      END,
      undeliverable = coalesce(delivered_at, read_at, delivered, was_read) IS NULL
        AND (undeliverable OR (is_undeliverable AND failed IS NOT NULL))
    WHERE lane IN ('sms', 'voice', 'whatsapp') AND provider_message_id = message_id AND lane = lane_name
      AND (provider = provider_name OR provider IS NULL);
    RETURN FOUND;
  END $$`;
