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
    // For the sweep alone, which names the predicate: a list that asks for what hardly exists would walk over all rows by it.
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_oldest_first");
    this.addSql(`
      CREATE INDEX CONCURRENTLY verification_oldest_first ON verification (created_at) WHERE created_at < 'infinity'`);
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_of_second_recipient");
    this.addSql(`
      CREATE INDEX CONCURRENTLY verification_of_second_recipient
        ON verification (second_recipient_index, workspace_id, mode)
        WHERE second_recipient_index IS NOT NULL`);
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_by_second_recipient");
  }
}
