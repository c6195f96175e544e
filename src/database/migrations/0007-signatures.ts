import { Migration } from "@mikro-orm/migrations";

/** Signatures that are accepted once, and keys that demand them: `docs/decisions/0014-signatures.md`. */
export class Signatures extends Migration {
  override up(): void {
    this.addSql(demand);
    this.addSql(usedSignature);
    this.addSql(spendSignature);
    this.addSql(requireCredential);
  }
}

/** Counts where `require_signature` is true. */
const demand = `
  ALTER TABLE api_key ADD COLUMN min_signature_version text NOT NULL DEFAULT 'v1'
    CHECK (min_signature_version IN ('v1', 'v2'))`;

/** The signatures of calls that have had their effect, as SHA-256, for as long as they would be accepted. */
const usedSignature = `
  CREATE TABLE used_signature (
    workspace_id text NOT NULL,
    nonce bytea NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, nonce)
  );
  CREATE INDEX used_signature_oldest_first ON used_signature (used_at)`;

/**
 * Spends the signature that the credential came with, if there was an effect. Raises BY005 if it was spent before. Waits for
 * a transaction that spends it at the same moment, so it comes before any advisory lock: a revocation waits for those.
 */
const spendSignature = `
  CREATE FUNCTION spend_signature(credential jsonb, has_effect boolean) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    workspace text := credential ->> 'workspace_id';
    spent bytea := decode(credential ->> 'nonce', 'base64');
    is_new boolean := true;
  BEGIN
    IF has_effect AND spent IS NOT NULL THEN
      INSERT INTO used_signature (workspace_id, nonce, used_at) VALUES (workspace, spent, byond_now()) ON CONFLICT DO NOTHING;
      is_new := FOUND;
    ELSIF spent IS NOT NULL THEN
      is_new := NOT EXISTS (SELECT FROM used_signature WHERE workspace_id = workspace AND nonce = spent);
    END IF;
    IF NOT is_new THEN
      RAISE EXCEPTION 'the signature was used before' USING ERRCODE = 'BY005';
    END IF;
    RETURN true;
  END $$`;

/**
 * Spends the signature if one of `effects` is not zero; if there are none, `spend_signature` was called before. Raises BY001 or BY002 if the key or the session does not hold any
 * more, BY003 if it may have other rights by now, and BY004 if the statement took so long that its caller has given up. A
 * credential of NULL is the server itself.
 *
 * What `effects` is computed from has been carried out, row locks included, when the function begins. Each query in it has
 * a snapshot of its own (VOLATILE), so the last one sees whatever was committed before the locks were given.
 */
const requireCredential = `
  CREATE OR REPLACE FUNCTION require_credential(credential jsonb, VARIADIC effects bigint[] DEFAULT '{}') RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    subject_key bigint;
    current_revision integer;
  BEGIN
    IF credential IS NOT NULL THEN
      IF credential ->> 'nonce' IS NOT NULL AND effects <> '{}' THEN
        PERFORM spend_signature(credential, 0 < ANY (effects));
      END IF;
      FOR subject_key IN
        SELECT hashtextextended(name, 0) AS key FROM jsonb_array_elements_text(credential -> 'subjects') AS name ORDER BY key
      LOOP
        PERFORM pg_advisory_xact_lock_shared(subject_key);
      END LOOP;
      IF credential ->> 'kind' = 'key' THEN
        SELECT api_key.revision + workspace.revision INTO current_revision
        FROM api_key_secret AS secret
          JOIN api_key ON api_key.id = secret.key_id
          JOIN workspace ON workspace.id = api_key.workspace_id
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
        PERFORM FROM session
          JOIN account ON account.id = session.account_id AND account.token_revision = session.token_revision
          JOIN workspace ON workspace.id = session.workspace_id AND workspace.deactivated_at IS NULL
        WHERE session.workspace_id = credential ->> 'workspace_id' AND session.id = credential ->> 'session_id';
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
