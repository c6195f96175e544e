import { Migration } from "@mikro-orm/migrations";

/** A message is reported as delivered after all (`verify-0006` ends the suppression when its code is approved). */
export class Suppressions0002 extends Migration {
  override up(): void {
    this.addSql(onDelivered);
    this.addSql(`
      CREATE TRIGGER recipient_reached AFTER UPDATE OF undeliverable ON delivery_attempt
        FOR EACH ROW WHEN (OLD.undeliverable AND NOT NEW.undeliverable) EXECUTE FUNCTION on_delivered_after_all()`);
  }
}

/** Only the suppression that this verification's message made: that of another one may be newer. */
const onDelivered = `
  CREATE FUNCTION on_delivered_after_all() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    DELETE FROM suppression USING verification AS started
    WHERE started.workspace_id = NEW.workspace_id AND started.id = NEW.subject_id
      AND suppression.recipient_index IN (started.recipient_index, started.second_recipient_index)
      AND suppression.workspace_id = NEW.workspace_id AND suppression.mode = started.mode
      AND suppression.channel = NEW.lane AND suppression.verification_id = NEW.subject_id;
    RETURN NULL;
  END $$`;
