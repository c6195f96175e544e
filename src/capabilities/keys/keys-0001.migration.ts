import { Migration } from "@mikro-orm/migrations";

export class Keys0001 extends Migration {
  override up(): void {
    this.addSql(apiKey);
    this.addSql(apiKeySecret);
  }
}

const apiKey = `
  CREATE TABLE api_key (
    id text PRIMARY KEY,
    workspace_id text NOT NULL REFERENCES workspace,
    prefix text NOT NULL UNIQUE,
    name text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    scopes text[] CHECK (cardinality(scopes) > 0),
    expires_at timestamptz CONSTRAINT api_key_expires_at_can_be_told
      CHECK (expires_at >= '0001-01-01 00:00:00+00' AND expires_at < '10000-01-01 00:00:00+00'),
    created_by text,
    ip_allowlist text[] CHECK (cardinality(ip_allowlist) BETWEEN 1 AND 100),
    requests_per_minute integer CHECK (requests_per_minute > 0),
    require_signature boolean NOT NULL DEFAULT false,
    min_signature_version text NOT NULL DEFAULT 'v1' CHECK (min_signature_version IN ('v1', 'v2')),
    revision integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revocation_reason text
  );
  CREATE INDEX api_key_newest_first ON api_key (workspace_id, created_at DESC, id DESC)`;

const apiKeySecret = `
  CREATE TABLE api_key_secret (
    prefix text PRIMARY KEY,
    key_id text NOT NULL REFERENCES api_key ON DELETE CASCADE,
    secret_hash text NOT NULL,
    valid_until timestamptz
  );
  CREATE INDEX api_key_secret_of_key ON api_key_secret (key_id)`;
