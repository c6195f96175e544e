import { Migration } from "@mikro-orm/migrations";

/** What keeps servers with different master secrets apart: `docs/decisions/0021-secrets-of-servers.md`. */
export class SecretsOfServers extends Migration {
  override up(): void {
    this.addSql(secrets);
    // Last: from it until the commit, no server renews its lease.
    this.addSql(ids);
  }
}

/** The current one first. NULL: nothing is written with a master secret (commands), or a server from before. */
const ids = "ALTER TABLE server ADD COLUMN secret_ids text[]";

/** The secrets that servers have written with, and when they did: rows of these times may need them. */
const secrets = `
  CREATE TABLE master_secret (
    id text PRIMARY KEY,
    first_used_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL
  );
  INSERT INTO master_secret (id, first_used_at, last_used_at)
  SELECT secret_id, min(created_at), max(created_at) FROM verification GROUP BY secret_id`;
