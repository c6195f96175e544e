import { Migration } from "@mikro-orm/migrations";

/** The device of the end user who asked for a code, as limits count it. */
export class Verify0009 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN device_indexes text[]");
  }
}
