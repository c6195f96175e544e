import { Migration } from "@mikro-orm/migrations";

/** Each statement by itself, and repeatable: a trigger on a table in use should not wait beside another lock. */
export class Bounces0001 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`
      CREATE TABLE IF NOT EXISTS bounce_mailbox (
        mailbox text PRIMARY KEY,
        uid_validity bigint,
        last_uid bigint NOT NULL DEFAULT '0',
        server_id text NOT NULL,
        claimed_until timestamptz NOT NULL
      )`);
    // Mail that the mail server accepted and that came back. What awaits a receipt has a trigger of its own (verify-0003).
    this.addSql(`
      CREATE OR REPLACE TRIGGER code_bounced AFTER UPDATE OF state ON delivery_attempt
        FOR EACH ROW WHEN (
          NOT NEW.awaits_receipt AND OLD.state = 'sent' AND NEW.state = 'failed' AND NOT starts_with(NEW.workspace_id, 'ws_byond/')
        ) EXECUTE FUNCTION on_code_receipt()`);
  }
}
