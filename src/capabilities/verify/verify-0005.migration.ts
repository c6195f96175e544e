import { Migration } from "@mikro-orm/migrations";

/** Recipients with a fixed code, and the verifications that have one. */
export class Verify0005 extends Migration {
  override up(): void {
    this.addSql(`
      CREATE TABLE fixed_code (
        workspace_id text NOT NULL,
        id text NOT NULL,
        recipient_sealed bytea NOT NULL,
        recipient_index text NOT NULL,
        code_length smallint NOT NULL CHECK (code_length >= 4 AND code_length <= 10),
        secret_id text NOT NULL,
        description text,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, id)
      )`);
    this.addSql("CREATE INDEX fixed_code_by_expiry ON fixed_code (expires_at)");
    this.addSql("ALTER TABLE verification ADD COLUMN fixed_code_id text");
  }
}
