import { Migration } from "@mikro-orm/migrations";

/** The range of the number that codes of a verification go to, and when the first one did, if it was not that of the start. */
export class Verify0007 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN number_range text, ADD COLUMN number_sent_at timestamptz");
    this.addSql(lateNumberSend);
  }
}

/**
 * A start is known by its event. Codes to a number that a resend or a step of a fallback sends have none: each message has a row, of which one is the
 * first to the number. The transaction tells which message it is, which was written with the change.
 */
const lateNumberSend = `
  CREATE TABLE late_number_send (
    workspace_id text NOT NULL,
    message_id text NOT NULL,
    verification_id text NOT NULL,
    is_first boolean NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
  );
  CREATE FUNCTION on_late_number_send() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO late_number_send (workspace_id, message_id, verification_id, is_first)
    SELECT workspace_id, id, subject_id, OLD.number_sent_at IS NULL AND NEW.number_sent_at IS NOT NULL
    FROM (SELECT workspace_id, id, subject_id, kind, lane, xmin AS written_by FROM outbox WHERE subject_id = NEW.id OFFSET 0) AS message
    WHERE workspace_id = NEW.workspace_id AND kind <> 'verification_fallback' AND lane <> 'email'
      AND written_by = pg_current_xact_id()::xid;
    RETURN NULL;
  END $$;
  CREATE TRIGGER late_number_send AFTER UPDATE OF sends ON verification
    FOR EACH ROW WHEN (OLD.sends < NEW.sends AND NEW.number_range IS NOT NULL)
    EXECUTE FUNCTION on_late_number_send()`;
