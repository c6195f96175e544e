import { Migration } from "@mikro-orm/migrations";

/** Idempotency keys of sessions belong to the session's user: `realm` holds the user's id, besides the modes of API keys. */
export class RealmsOfUsers extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE idempotency DROP CONSTRAINT idempotency_realm_check");
  }
}
