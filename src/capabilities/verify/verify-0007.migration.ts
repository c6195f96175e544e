import { Migration } from "@mikro-orm/migrations";

/** The range of the number that codes of a verification go to, and when the first one did, if it was not that of the start. */
export class Verify0007 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN number_range text, ADD COLUMN number_sent_at timestamptz");
    this.addSql(lateNumberSend);
  }
}

/** A start is known by its event. The first code to a number that a resend or a step of a fallback sends has none. */
const lateNumberSend = `
  CREATE TABLE late_number_send (
    workspace_id text NOT NULL,
    verification_id text NOT NULL,
    PRIMARY KEY (workspace_id, verification_id)
  );
  CREATE FUNCTION on_late_number_send() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO late_number_send (workspace_id, verification_id) VALUES (NEW.workspace_id, NEW.id);
    RETURN NULL;
  END $$;
  CREATE TRIGGER late_number_send AFTER UPDATE OF number_sent_at ON verification
    FOR EACH ROW WHEN (OLD.number_sent_at IS NULL AND NEW.number_sent_at IS NOT NULL)
    EXECUTE FUNCTION on_late_number_send()`;
