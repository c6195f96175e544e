import { Migration } from "@mikro-orm/migrations";

export class Idempotency0001 extends Migration {
  override up(): void {
    this.addSql(idempotency);
  }
}

const idempotency = `
  CREATE TABLE idempotency (
    workspace_id text NOT NULL,
    realm text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    claim_id text NOT NULL,
    claimed_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    answer_sealed bytea,
    PRIMARY KEY (workspace_id, realm, key)
  );
  CREATE INDEX idempotency_oldest_first ON idempotency (created_at)`;
