import { Migration } from "@mikro-orm/migrations";

/** What `byond servers` tells of each server. Null: an earlier version, or a process that serves nobody. */
export class Revocation0003 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE server ADD COLUMN description jsonb, ADD COLUMN clock_offset_ms integer");
  }
}
