import { Migration } from "@mikro-orm/migrations";

/** From where accounts are used to being signed in to, and the refresh tokens that were spent a moment ago. */
export class PasswordsAndSessions extends Migration {
  override up(): void {
    this.addSql(knownSources);
    this.addSql(spentTokens);
  }
}

/** No address: a keyed hash of account and source. Ends with its account. */
const knownSources = `
  CREATE TABLE known_source (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    source bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, source)
  );
  CREATE INDEX known_source_oldest_first ON known_source (expires_at)`;

/** The hashes of the last refresh tokens before the current one, oldest first, and when each was spent. */
const spentTokens = `
  ALTER TABLE session
    ADD COLUMN spent_hashes bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN spent_at timestamptz[] NOT NULL DEFAULT '{}'`;
