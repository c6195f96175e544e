import { Migration } from "@mikro-orm/migrations";

/** Whether an attempt's provider will report the delivery: until then it is not known that the message arrived. */
export class Outbox0005 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE delivery_attempt ADD COLUMN awaits_receipt boolean NOT NULL DEFAULT false");
    this.addSql(recordSent);
  }
}

/** As the one of outbox-0002, which older servers use until they are replaced. */
const recordSent = `
  CREATE FUNCTION outbox_record_sent(
    workspace_ids text[], subject_ids text[], ids text[], claims integer[], lanes text[], provider_message_ids text[],
    receipts_awaited boolean[], took_ms double precision[]
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
        workspace_id, subject_id, outbox_id, claim, lane, state, provider_message_id, awaits_receipt, started_at, finished_at
      ) VALUES (
        workspace_ids[place], subject_ids[place], ids[place], claims[place], lanes[place], 'sent',
        provider_message_ids[place], receipts_awaited[place], moment - took_ms[place] * interval '1 millisecond', moment
      ) ON CONFLICT DO NOTHING;
      UPDATE outbox
        SET attempts = attempts + 1, last_error = NULL, status = 'sent', finished_at = moment, payload_sealed = NULL
        WHERE workspace_id = workspace_ids[place] AND subject_id = subject_ids[place] AND id = ids[place];
      RETURN NEXT place;
    END LOOP;
  END $$`;
