import { Migration } from "@mikro-orm/migrations";

/** What keys may do and for how long, secrets that can be replaced, and sessions that can be ended. */
export class AccountsAndKeys extends Migration {
  override up(): void {
    this.addSql(workspaces);
    this.addSql(accounts);
    this.addSql(sessions);
    this.addSql(apiKeys);
    this.addSql(apiKeySecrets);
  }
}

const workspaces = `
  ALTER TABLE workspace
    ADD COLUMN tier text NOT NULL DEFAULT 'starter' CHECK (tier IN ('starter', 'builder', 'scale', 'unlimited')),
    ADD COLUMN ip_allowlist text[] CHECK (cardinality(ip_allowlist) BETWEEN 1 AND 100),
    ADD COLUMN deactivated_at timestamptz`;

/** `token_revision` is raised to end every session at once. `email_verification_id` is the code that was sent last. */
const accounts = `
  ALTER TABLE account
    ADD COLUMN token_revision integer NOT NULL DEFAULT 0,
    ADD COLUMN email_verification_id text,
    ADD COLUMN email_verified_at timestamptz;
  CREATE INDEX account_of_workspace ON account (workspace_id)`;

/** A session is alive while its `token_revision` is its account's. Of its refresh token there is a hash only. */
const sessions = `
  CREATE TABLE session (
    workspace_id text NOT NULL,
    id text NOT NULL,
    account_id text NOT NULL,
    token_revision integer NOT NULL,
    refresh_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
  )`;

const apiKeys = `
  ALTER TABLE api_key
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN created_by text,
    ADD COLUMN ip_allowlist text[] CHECK (cardinality(ip_allowlist) BETWEEN 1 AND 100),
    ADD COLUMN requests_per_minute integer CHECK (requests_per_minute > 0),
    ADD COLUMN require_signature boolean NOT NULL DEFAULT false,
    ADD COLUMN revocation_reason text`;

/** A key has one secret, and for a while those that were replaced. `api_key.prefix` is the newest one's. */
const apiKeySecrets = `
  CREATE TABLE api_key_secret (
    prefix text PRIMARY KEY,
    key_id text NOT NULL REFERENCES api_key ON DELETE CASCADE,
    secret_hash text NOT NULL,
    valid_until timestamptz
  );
  CREATE INDEX api_key_secret_of_key ON api_key_secret (key_id);
  INSERT INTO api_key_secret (prefix, key_id, secret_hash) SELECT prefix, id, secret_hash FROM api_key;
  ALTER TABLE api_key DROP COLUMN secret_hash`;
