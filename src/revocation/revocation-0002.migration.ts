import { Migration } from "@mikro-orm/migrations";

export class Revocation0002 extends Migration {
  override up(): void {
    this.addSql(requireCredential);
  }
}

/**
 * Raises BY001 or BY002 if the key or the session does not hold any more, BY003 if it may have other rights by now, BY004 if
 * the statement took so long that its caller has given up, and BY005 if the call's signature was spent before. A credential
 * of NULL is the server itself.
 *
 * `effects` are counts of rows: what they are counted from has been carried out, row locks included, when the function
 * begins. The signature is spent if one of them is not zero; without any, `spend_signature` was called before. Each query
 * has a snapshot of its own (VOLATILE), so the last one sees whatever was committed before the locks were given.
 *
 * `OFFSET 0` fixes the order of the look-ups: PostgreSQL joined all keys with all workspaces if it expected none (decision 37).
 *
 * The subjects come in the order of `lock_subjects`. Assignments are evaluated without a query, which PERFORM would be.
 */
const requireCredential = `
  CREATE OR REPLACE FUNCTION require_credential(credential jsonb, VARIADIC effects bigint[] DEFAULT '{}') RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    subjects jsonb := credential -> 'subjects';
    is_done boolean;
    current_revision integer;
  BEGIN
    IF credential IS NOT NULL THEN
      IF credential ->> 'nonce' IS NOT NULL AND effects <> '{}' THEN
        is_done := spend_signature(credential, 0 < ANY (effects));
      END IF;
      FOR index IN 0 .. jsonb_array_length(subjects) - 1 LOOP
        is_done := pg_advisory_xact_lock_shared(hashtextextended(subjects ->> index, 0)) IS NULL;
      END LOOP;
      IF credential ->> 'kind' = 'key' THEN
        SELECT api_key.revision + workspace.revision INTO current_revision
        FROM api_key_secret AS secret,
          LATERAL (SELECT * FROM api_key WHERE id = secret.key_id OFFSET 0) AS api_key,
          LATERAL (SELECT * FROM workspace WHERE id = api_key.workspace_id OFFSET 0) AS workspace
        WHERE secret.prefix = credential ->> 'prefix'
          AND api_key.revoked_at IS NULL AND workspace.deactivated_at IS NULL
          AND (secret.valid_until IS NULL OR secret.valid_until > byond_now())
          AND (api_key.expires_at IS NULL OR api_key.expires_at > byond_now());
        IF NOT FOUND THEN
          RAISE EXCEPTION 'the key does not hold any more' USING ERRCODE = 'BY001';
        ELSIF current_revision <> (credential ->> 'revision')::integer THEN
          RAISE EXCEPTION 'the key was changed' USING ERRCODE = 'BY003';
        END IF;
      ELSE
        PERFORM FROM session,
          LATERAL (SELECT * FROM account WHERE id = session.account_id OFFSET 0) AS account,
          LATERAL (SELECT * FROM workspace WHERE id = session.workspace_id OFFSET 0) AS workspace
        WHERE session.workspace_id = credential ->> 'workspace_id' AND session.id = credential ->> 'session_id'
          AND account.token_revision = session.token_revision AND workspace.deactivated_at IS NULL;
        IF NOT FOUND THEN
          RAISE EXCEPTION 'the session has ended' USING ERRCODE = 'BY002';
        END IF;
      END IF;
    END IF;
    IF clock_timestamp() > statement_timestamp() + interval '8 seconds' THEN
      RAISE EXCEPTION 'the statement took too long' USING ERRCODE = 'BY004';
    END IF;
    RETURN true;
  END $$`;
