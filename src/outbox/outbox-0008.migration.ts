import { Migration } from "@mikro-orm/migrations";

/**
 * Which provider an attempt was made with, and receipts of every channel whose provider reports deliveries. Each statement by itself, and
 * repeatable: an index on a table in use is made without a transaction. Older servers use the functions that there were until they are
 * replaced, and their index until this one is there, which serves them, too.
 */
export class Outbox0008 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`
      ALTER TABLE delivery_attempt
        ADD COLUMN IF NOT EXISTS provider text,
        ADD COLUMN IF NOT EXISTS segments integer`);
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS delivery_attempt_receipt");
    this.addSql(`
      CREATE INDEX CONCURRENTLY delivery_attempt_receipt ON delivery_attempt (provider_message_id)
        WHERE lane IN ('sms', 'voice', 'whatsapp') AND provider_message_id IS NOT NULL`);
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS delivery_attempt_provider_message");
    this.addSql(recordSent);
    this.addSql(recordReceipt);
  }
}

/** As the one of outbox-0005, with the provider and the segments. */
const recordSent = `
  CREATE OR REPLACE FUNCTION outbox_record_sent(
    workspace_ids text[], subject_ids text[], ids text[], claims integer[], lanes text[], providers text[],
    provider_message_ids text[], receipts_awaited boolean[], segment_counts integer[], took_ms double precision[]
  ) RETURNS SETOF integer
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    known_status text;
  BEGIN
    FOR place IN 1 .. cardinality(ids) LOOP
      SELECT status INTO known_status FROM outbox
        WHERE workspace_id = workspace_ids[place] AND subject_id = subject_ids[place] AND id = ids[place]
        FOR UPDATE SKIP LOCKED;
      CONTINUE WHEN known_status IS DISTINCT FROM 'pending';
      INSERT INTO delivery_attempt (
        workspace_id, subject_id, outbox_id, claim, lane, state, provider, provider_message_id, awaits_receipt, segments,
        started_at, finished_at
      ) VALUES (
        workspace_ids[place], subject_ids[place], ids[place], claims[place], lanes[place], 'sent', providers[place],
        provider_message_ids[place], receipts_awaited[place], segment_counts[place],
        moment - took_ms[place] * interval '1 millisecond', moment
      ) ON CONFLICT DO NOTHING;
      UPDATE outbox
        SET attempts = attempts + 1, last_error = NULL, status = 'sent', finished_at = moment, payload_sealed = NULL
        WHERE workspace_id = workspace_ids[place] AND subject_id = subject_ids[place] AND id = ids[place];
      RETURN NEXT place;
    END LOOP;
  END $$`;

/**
 * As the one of outbox-0007, for one provider's message of a lane. Answers whether the message is known. Attempts of servers that did not record the
 * provider yet are any provider's. The list of lanes is the index's.
 */
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
      error = coalesce(error, nullif(failure, '')),
      undeliverable = undeliverable OR (
        is_undeliverable AND failed IS NOT NULL AND coalesce(delivered_at, read_at, delivered, was_read) IS NULL
      )
    WHERE lane IN ('sms', 'voice', 'whatsapp') AND provider_message_id = message_id AND lane = lane_name
      AND (provider = provider_name OR provider IS NULL);
    RETURN FOUND;
  END $$`;
