import { Migration } from "@mikro-orm/migrations";

/** What every call is counted by, and the answers that a repeated call gets again. */
export class LimitsAndIdempotency extends Migration {
  override up(): void {
    this.addSql(quota);
    this.addSql(idempotency);
  }
}

/**
 * Requests by the second: `counts` begins 60 seconds before the second of `taken_at` and ends 9 after it. `granted` is
 * what the last take got. No index but the key's, so that an update stays on its page.
 */
const quota = `
  CREATE TABLE quota (
    workspace_id text NOT NULL,
    key text NOT NULL,
    taken_at timestamptz NOT NULL,
    granted integer NOT NULL,
    counts integer[] NOT NULL CHECK (cardinality(counts) = 70),
    PRIMARY KEY (workspace_id, key)
  ) WITH (fillfactor = 50)`;

/** A call with an idempotency key: claimed while it runs, then with its answer, which only the server can read. */
const idempotency = `
  CREATE TABLE idempotency (
    workspace_id text NOT NULL,
    realm text NOT NULL CHECK (realm IN ('live', 'test', 'session')),
    key text NOT NULL,
    fingerprint text NOT NULL,
    claim_id text NOT NULL,
    claimed_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    answer_sealed bytea,
    PRIMARY KEY (workspace_id, realm, key)
  );
  CREATE INDEX idempotency_oldest_first ON idempotency (created_at)`;
