import { Migration } from "@mikro-orm/migrations";

export class Outbox0003 extends Migration {
  override up(): void {
    this.addSql(moveClaims);
    this.addSql(recordReceipt);
  }
}

/**
 * Sets until when and for whom the claims of a server last. A function, as `outbox_record_sent` is: a join with the list reads the whole table if
 * it was planned while the table was small.
 */
const moveClaims = `
  CREATE FUNCTION outbox_move_claims(
    workspace_ids text[], ids text[], server_id text, until timestamptz, next_server_id text
  ) RETURNS SETOF outbox
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    FOR place IN 1 .. cardinality(ids) LOOP
      RETURN QUERY UPDATE outbox SET available_at = until, claimed_by = next_server_id
        WHERE workspace_id = workspace_ids[place] AND id = ids[place] AND finished_at IS NULL AND claimed_by = server_id
        RETURNING *;
    END LOOP;
  END $$`;

/** Records what is reported of a message. Answers whether it is known. A function, as above. */
const recordReceipt = `
  CREATE FUNCTION delivery_record_receipt(
    message_id text, delivered timestamptz, was_read timestamptz, failed timestamptz, failure text
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
      error = coalesce(error, nullif(failure, ''))
    WHERE lane = 'whatsapp' AND provider_message_id = message_id;
    RETURN FOUND;
  END $$`;
