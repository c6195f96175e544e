import { Migration } from "@mikro-orm/migrations";

export class Suppressions0001 extends Migration {
  override up(): void {
    this.addSql(suppression);
    this.addSql(onUndeliverable);
    this.addSql(`
      CREATE TRIGGER recipient_undeliverable AFTER INSERT OR UPDATE OF undeliverable ON delivery_attempt
        FOR EACH ROW WHEN (NEW.undeliverable AND NOT starts_with(NEW.workspace_id, 'ws_byond/'))
        EXECUTE FUNCTION on_undeliverable()`);
  }
}

const suppression = `
  CREATE TABLE suppression (
    workspace_id text NOT NULL,
    id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    channel text NOT NULL CHECK (channel IN ('sms', 'voice', 'whatsapp', 'email')),
    recipient_index text NOT NULL,
    recipient_sealed bytea NOT NULL,
    verification_id text NOT NULL,
    is_second boolean NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    CONSTRAINT suppression_of_recipient UNIQUE (recipient_index, workspace_id, mode, channel)
  );
  CREATE INDEX suppression_list ON suppression (workspace_id, mode, channel, created_at, id) WHERE created_at > '-infinity'`;

/**
 * Suppresses the recipient of a message in the transaction that records the attempt or the report: neither can be lost without the
 * other, whoever records it. The id is made here, as `createId` makes it.
 *
 * What says nothing of the recipient is left out: an erased one; and a message of a verification that was approved, unless a message of another
 * channel may have been the one that was read.
 */
const onUndeliverable = `
  CREATE FUNCTION on_undeliverable() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    IF TG_OP = 'UPDATE' THEN
      IF OLD.undeliverable THEN
        RETURN NULL;
      END IF;
    END IF;
    INSERT INTO suppression (
      workspace_id, id, mode, channel, recipient_index, recipient_sealed, verification_id, is_second, reason, created_at
    )
    SELECT
      NEW.workspace_id, 'sup_' || id_time(byond_now()) || id_random(), mode, used.channel, recipient.index, recipient.sealed, id,
      used.is_second, coalesce(NEW.error, 'the provider reported that the recipient cannot be reached'),
      date_trunc('milliseconds', byond_now())
    FROM (SELECT * FROM verification WHERE workspace_id = NEW.workspace_id AND id = NEW.subject_id OFFSET 0) AS started,
      LATERAL (SELECT regexp_replace(NEW.lane, '^sandbox-', '') AS channel) AS lane,
      LATERAL (SELECT lane.channel, (lane.channel = 'email') <> (started.channel = 'email') AS is_second) AS used,
      LATERAL (
        SELECT
          CASE WHEN used.is_second THEN second_recipient_index ELSE recipient_index END AS index,
          CASE WHEN used.is_second THEN second_recipient_sealed ELSE recipient_sealed END AS sealed
      ) AS recipient
    WHERE used.channel IN ('sms', 'voice', 'whatsapp', 'email') AND recipient.index IS NOT NULL AND recipient.sealed IS NOT NULL
      AND (started.status <> 'approved' OR EXISTS (
        SELECT FROM outbox
        WHERE subject_id = NEW.subject_id AND workspace_id || '' = NEW.workspace_id AND lane <> NEW.lane
          AND lane <> 'fallback'
      ))
    ON CONFLICT (recipient_index, workspace_id, mode, channel) DO UPDATE SET
      id = excluded.id, recipient_sealed = excluded.recipient_sealed, verification_id = excluded.verification_id,
      is_second = excluded.is_second, reason = excluded.reason, created_at = excluded.created_at;
    RETURN NULL;
  END $$`;
