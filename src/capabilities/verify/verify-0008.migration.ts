import { Migration } from "@mikro-orm/migrations";

/** What the messages of a verification show beside its code. */
export class Verify0008 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN code_in_subject boolean NOT NULL DEFAULT false");
    this.addSql("ALTER TABLE verification ADD COLUMN approval_sealed bytea");
    this.addSql("ALTER TABLE verification ADD COLUMN approval_index text");
    this.addSql("DROP FUNCTION verification_to_reuse(text, text, text, text[], jsonb, text[], integer)");
    this.addSql(toReuse);
  }
}

/**
 * As in `verify-0004.migration.ts`, with the indexes of the payment that the code approves; null: of those that approve none. Servers of an
 * earlier version know no payment, and do not pass it.
 */
const toReuse = `
  CREATE FUNCTION verification_to_reuse(
    workspace text, of_mode text, of_channel text, indexes text[], of_metadata jsonb, known_secrets text[], max_sends integer,
    of_approval text[] DEFAULT NULL
  ) RETURNS text
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM lock_subjects(
      '{}', ARRAY(SELECT 'reuse:' || workspace || ':' || of_mode || ':' || of_channel || ':' || index FROM unnest(indexes) AS index)
    );
    RETURN (
      SELECT id FROM verification
      WHERE recipient_index = ANY (indexes) AND workspace_id || '' = workspace AND mode || '' = of_mode
        AND channel = of_channel AND status = 'pending' AND expires_at > byond_now() + interval '10 seconds' AND sends < max_sends
        AND secret_id = ANY (known_secrets) AND metadata = of_metadata
        AND coalesce(approval_index = ANY (of_approval), approval_index IS NULL AND of_approval IS NULL)
      ORDER BY created_at DESC LIMIT 1
    );
  END $$`;
