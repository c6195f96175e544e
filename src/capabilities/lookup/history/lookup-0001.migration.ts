import { Migration } from "@mikro-orm/migrations";

export class Lookup0001 extends Migration {
  override up(): void {
    this.addSql(lookup);
  }
}

const lookup = `
  CREATE TABLE lookup (
    workspace_id text NOT NULL,
    id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    number_index text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
  );
  CREATE INDEX lookup_list ON lookup (workspace_id, mode, created_at, id) WHERE created_at > '-infinity';
  CREATE INDEX lookup_of_number ON lookup (number_index, created_at, id);
  CREATE INDEX lookup_oldest_first ON lookup (created_at) WHERE created_at < 'infinity'`;
