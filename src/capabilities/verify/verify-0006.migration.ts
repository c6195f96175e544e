import { Migration } from "@mikro-orm/migrations";

/** Whoever enters a code can be reached. */
export class Verify0006 extends Migration {
  override up(): void {
    this.addSql(onApproved);
    this.addSql(`
      CREATE TRIGGER recipient_has_approved AFTER UPDATE OF status ON verification
        FOR EACH ROW WHEN (
          OLD.status = 'pending' AND NEW.status = 'approved' AND NOT starts_with(NEW.workspace_id, 'ws_byond/')
        ) EXECUTE FUNCTION on_suppressed_recipient_approved()`);
  }
}

/**
 * Ends the suppression that this verification's message made. Only if a message of this channel was accepted, and none of another channel
 * may be the one that was read: `on_undeliverable` has the same condition for a report that comes after the approval.
 */
const onApproved = `
  CREATE FUNCTION on_suppressed_recipient_approved() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    suppressed text;
  BEGIN
    SELECT channel INTO suppressed FROM suppression
      WHERE recipient_index = NEW.recipient_index AND workspace_id = NEW.workspace_id AND mode = NEW.mode
        AND channel = NEW.channel AND verification_id || '' = NEW.id;
    IF FOUND AND (
      SELECT bool_and(regexp_replace(lane, '^sandbox-', '') = suppressed) AND bool_or(status = 'sent') FROM outbox
      WHERE subject_id = NEW.id AND workspace_id || '' = NEW.workspace_id AND lane <> 'fallback'
    ) THEN
      DELETE FROM suppression
      WHERE recipient_index = NEW.recipient_index AND workspace_id = NEW.workspace_id AND mode = NEW.mode
        AND channel = suppressed AND verification_id || '' = NEW.id;
    END IF;
    RETURN NULL;
  END $$`;
