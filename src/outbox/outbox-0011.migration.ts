import { Migration } from "@mikro-orm/migrations";

/**
 * What was sent, or may have been, is counted in the usage of its workspace, once. Older servers go on calling the
 * function that there was.
 */
export class Outbox0011 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE outbox ADD COLUMN is_counted boolean NOT NULL DEFAULT false");
    this.addSql(countUnanswered);
    this.addSql(recordSent);
  }
}

/**
 * Counts a message that may have been sent, once, and keeps its price. The rows are locked in the order of `outbox_record_sent`: first the message,
 * last the usage.
 */
const countUnanswered = `
  CREATE FUNCTION outbox_count_unanswered(
    workspace text, subject text, message text, mode text, channel text, country text, key text
  ) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    UPDATE outbox SET is_counted = true, charged_to = NULL
      WHERE workspace_id = workspace AND subject_id = subject AND id = message AND status <> 'sent' AND NOT is_counted;
    IF FOUND THEN
      PERFORM usage_add(ARRAY[workspace], ARRAY[mode], ARRAY[channel], ARRAY[country], ARRAY[key], ARRAY[1]);
    END IF;
  END $$`;

/**
 * As the one of outbox-0008, for one message as well (`waits`), which may be held by somebody or be finished: one that a call
 * ended while its provider took it has an attempt that was sent. The usage comes last, and with it the rows that other servers wait for.
 */
const recordSent = `
  CREATE OR REPLACE FUNCTION outbox_record_sent(
    workspace_ids text[], subject_ids text[], ids text[], claims integer[], lanes text[], providers text[],
    provider_message_ids text[], receipts_awaited boolean[], segment_counts integer[], took_ms double precision[],
    modes text[], channels text[], countries text[], key_ids text[], waits boolean
  ) RETURNS SETOF integer
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    known_status text;
    was_counted boolean;
    numbers integer[] := array_fill(0, ARRAY[cardinality(ids)]);
  BEGIN
    FOR place IN 1 .. cardinality(ids) LOOP
      IF waits THEN
        SELECT status, is_counted INTO known_status, was_counted FROM outbox
          WHERE workspace_id = workspace_ids[place] AND subject_id = subject_ids[place] AND id = ids[place]
          FOR UPDATE;
        CONTINUE WHEN known_status IS NULL;
      ELSE
        SELECT status, is_counted INTO known_status, was_counted FROM outbox
          WHERE workspace_id = workspace_ids[place] AND subject_id = subject_ids[place] AND id = ids[place]
          FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN known_status IS DISTINCT FROM 'pending';
      END IF;
      INSERT INTO delivery_attempt (
        workspace_id, subject_id, outbox_id, claim, lane, state, provider, provider_message_id, awaits_receipt, segments,
        started_at, finished_at
      ) VALUES (
        workspace_ids[place], subject_ids[place], ids[place], claims[place], lanes[place], 'sent', providers[place],
        provider_message_ids[place], receipts_awaited[place], segment_counts[place],
        moment - took_ms[place] * interval '1 millisecond', moment
      ) ON CONFLICT DO NOTHING;
      IF NOT was_counted AND (known_status = 'pending' OR (FOUND AND known_status <> 'sent')) THEN
        numbers[place] := 1;
      END IF;
      CONTINUE WHEN known_status <> 'pending';
      UPDATE outbox
        SET attempts = attempts + 1, last_error = NULL, status = 'sent', finished_at = moment, payload_sealed = NULL
        WHERE workspace_id = workspace_ids[place] AND subject_id = subject_ids[place] AND id = ids[place];
      RETURN NEXT place;
    END LOOP;
    PERFORM usage_add(workspace_ids, modes, channels, countries, key_ids, numbers);
  END $$`;
