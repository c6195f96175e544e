import { Migration } from "@mikro-orm/migrations";

/** Each statement by itself, and repeatable: a trigger and a table in one transaction could wait for a message that is being recorded. */
export class Balance0002 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(refund);
    this.addSql(`
      CREATE OR REPLACE TRIGGER message_refunded BEFORE UPDATE OF status ON outbox
        FOR EACH ROW WHEN (
          NEW.charged_to IS NOT NULL AND OLD.status = 'pending' AND (NEW.status = 'failed' OR NEW.status = 'expired')
        ) EXECUTE FUNCTION balance_refund()`);
    this.addSql(`
      CREATE OR REPLACE TRIGGER message_given_up BEFORE UPDATE OF claimed_by ON outbox
        FOR EACH ROW WHEN (
          NEW.charged_to IS NOT NULL AND OLD.claimed_by IS NOT NULL AND NEW.claimed_by IS NULL
            AND (OLD.status = 'failed' OR OLD.status = 'expired')
        ) EXECUTE FUNCTION balance_refund()`);
  }
}

/**
 * Gives the price of a message back that ends without having been sent, in the statement that ends it, once: the key of a refund is its
 * charge. What may have been sent keeps its price. If something else than an attempt ends the message, its server may be sending it while its claim
 * runs: it gives its claim up if it has not. Nobody knows what a server did that is gone (as of a message that another server has claimed since:
 * `outbox-store.ts`). A message whose price came back has none, which the triggers after this one see.
 */
const refund = `
  CREATE OR REPLACE FUNCTION balance_refund() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    IF OLD.status = 'pending' AND NEW.attempts = OLD.attempts AND OLD.claimed_by IS NOT NULL
      AND (OLD.available_at > byond_now() OR NOT outbox_claimant_lives(OLD.claimed_by))
    THEN
      RETURN NEW;
    END IF;
    INSERT INTO ledger_entry (
        workspace_id, reserve_id, reference, kind, debit, credit, amount, key_id, subject_id, item, day, is_counted, created_at
      )
      SELECT workspace_id, reserve_id, reference, 'refund', 'spent', 'wallet', amount, key_id, subject_id, item, day, false,
        date_trunc('milliseconds', byond_now())
      FROM ledger_entry
      WHERE workspace_id = NEW.workspace_id AND reserve_id = NEW.charged_to AND reference = NEW.id AND kind = 'charge'
      ON CONFLICT DO NOTHING;
    IF FOUND THEN
      NEW.price := NULL;
    END IF;
    RETURN NEW;
  END $$`;
