import { Migration } from "@mikro-orm/migrations";

/**
 * Messages that are erased with something else than their subject. Each statement by itself, and repeatable: an index on a table in use
 * is made without a transaction.
 */
export class Outbox0006 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql("ALTER TABLE outbox ADD COLUMN IF NOT EXISTS erased_with text");
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS outbox_erased_with");
    this.addSql(`
      CREATE INDEX CONCURRENTLY outbox_erased_with ON outbox (erased_with, workspace_id)
        WHERE erased_with IS NOT NULL AND payload_sealed IS NOT NULL`);
  }
}
