import { Migration } from "@mikro-orm/migrations";

/** Signatures that are accepted once, and keys that demand them: `docs/decisions/0014-signatures.md`. */
export class Signatures extends Migration {
  override up(): void {
    this.addSql(demand);
    this.addSql(usedSignature);
    this.addSql(spendSignature);
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
