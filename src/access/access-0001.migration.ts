import { Migration } from "@mikro-orm/migrations";

export class Access0001 extends Migration {
  override up(): void {
    this.addSql(workspace);
    this.addSql(usedSignature);
    this.addSql(spendSignature);
  }
}

const workspace = `
  CREATE TABLE workspace (
    id text PRIMARY KEY,
    name text NOT NULL,
    tier text NOT NULL DEFAULT 'starter' CHECK (tier IN ('starter', 'builder', 'scale', 'unlimited')),
    ip_allowlist text[] CHECK (cardinality(ip_allowlist) BETWEEN 1 AND 100),
    revision integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    deactivated_at timestamptz
  );
  CREATE INDEX workspace_to_erase ON workspace (deactivated_at) WHERE deactivated_at IS NOT NULL`;

const usedSignature = `
  CREATE TABLE used_signature (
    workspace_id text NOT NULL,
    nonce bytea NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, nonce)
  );
  CREATE INDEX used_signature_oldest_first ON used_signature (used_at)`;

/**
 * Records the credential's signature as used, if the call had an effect. Raises BY005 if it was used before. It waits for a
 * transaction that records it at the same moment, so it must run before any advisory lock is taken: a revocation waits for
 * those.
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
