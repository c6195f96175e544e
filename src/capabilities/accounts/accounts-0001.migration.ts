import { Migration } from "@mikro-orm/migrations";

export class Accounts0001 extends Migration {
  override up(): void {
    this.addSql(account);
    this.addSql(session);
    this.addSql(knownSource);
  }
}

const account = `
  CREATE TABLE account (
    id text PRIMARY KEY,
    workspace_id text NOT NULL REFERENCES workspace,
    email text NOT NULL,
    email_verification_id text,
    email_verified_at timestamptz,
    password_hash text NOT NULL,
    password_set_at timestamptz NOT NULL DEFAULT byond_now(),
    name text NOT NULL,
    token_revision integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    ends_at timestamptz,
    end_announced_at timestamptz
  );
  CREATE INDEX account_of_workspace ON account (workspace_id);
  CREATE INDEX account_by_email ON account (email);
  CREATE UNIQUE INDEX account_verified_email ON account (email) WHERE email_verified_at IS NOT NULL;
  CREATE INDEX account_to_announce ON account (ends_at) WHERE end_announced_at IS NULL AND ends_at IS NOT NULL;
  CREATE INDEX account_to_end ON account (ends_at) WHERE end_announced_at IS NOT NULL`;

const session = `
  CREATE TABLE session (
    workspace_id text NOT NULL,
    id text NOT NULL,
    account_id text NOT NULL,
    token_revision integer NOT NULL,
    refresh_hash bytea NOT NULL,
    spent_hashes bytea[] NOT NULL DEFAULT '{}',
    spent_at timestamptz[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
  );
  CREATE INDEX session_oldest_first ON session (expires_at)`;

const knownSource = `
  CREATE TABLE known_source (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    source bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, source)
  );
  CREATE INDEX known_source_oldest_first ON known_source (expires_at)`;
