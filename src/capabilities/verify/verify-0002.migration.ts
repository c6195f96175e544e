import { Migration } from "@mikro-orm/migrations";

export class Verify0002 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_by_state");
    this.addSql(`
      CREATE INDEX CONCURRENTLY verification_by_state
        ON verification (workspace_id, mode, status, channel, created_at DESC, id DESC)
        WHERE expires_at > '-infinity'`);
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_of_second_recipient");
    this.addSql(`
      CREATE INDEX CONCURRENTLY verification_of_second_recipient
        ON verification (second_recipient_index, workspace_id, mode)
        WHERE second_recipient_index IS NOT NULL`);
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_by_second_recipient");
  }
}
