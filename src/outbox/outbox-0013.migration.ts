import { Migration } from "@mikro-orm/migrations";

/** What a server does with its claims of messages that were ended meanwhile, as by the cancellation of their verification. */
export class Outbox0013 extends Migration {
  override up(): void {
    this.addSql(renewClaims);
    this.addSql(releaseClaims);
  }
}

/**
 * Extends claims, and answers those that are still the server's, with those of messages that were ended meanwhile: an attempt that has begun goes on, so
 * that it is known whether the message was sent. A function, as in outbox-0003.
 */
const renewClaims = `
  CREATE FUNCTION outbox_renew_claims(workspace_ids text[], ids text[], server_id text, until timestamptz)
  RETURNS TABLE (workspace_id text, id text)
  LANGUAGE plpgsql VOLATILE AS $$
  #variable_conflict use_column
  BEGIN
    FOR place IN 1 .. cardinality(ids) LOOP
      UPDATE outbox SET available_at = until
        WHERE workspace_id = workspace_ids[place] AND id = ids[place] AND finished_at IS NULL AND claimed_by = server_id;
      RETURN QUERY SELECT workspace_id, id FROM outbox
        WHERE workspace_id = workspace_ids[place] AND id = ids[place] AND claimed_by = server_id;
    END LOOP;
  END $$`;

/**
 * Gives claims up under which nothing was sent: of a message that waits, so that any server may claim it at once; and of one that was ended
 * meanwhile and was charged, whose price can come back now.
 */
const releaseClaims = `
  CREATE FUNCTION outbox_release_claims(workspace_ids text[], ids text[], claims integer[], server_id text) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    FOR place IN 1 .. cardinality(ids) LOOP
      UPDATE outbox
        SET claimed_by = NULL, available_at = CASE WHEN finished_at IS NULL THEN byond_now() ELSE available_at END
        WHERE workspace_id = workspace_ids[place] AND id = ids[place] AND claim = claims[place] AND claimed_by = server_id
          AND (finished_at IS NULL OR charged_to IS NOT NULL);
    END LOOP;
  END $$`;
