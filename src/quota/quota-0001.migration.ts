import { Migration } from "@mikro-orm/migrations";

export class Quota0001 extends Migration {
  override up(): void {
    this.addSql(quota);
  }
}

const quota = `
  CREATE TABLE quota (
    workspace_id text NOT NULL,
    key text NOT NULL,
    taken_at timestamptz NOT NULL,
    granted integer NOT NULL,
    counts integer[] NOT NULL CHECK (cardinality(counts) = 70),
    PRIMARY KEY (workspace_id, key)
  ) WITH (fillfactor = 50)`;
