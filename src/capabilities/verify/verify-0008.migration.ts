import { Migration } from "@mikro-orm/migrations";

/** What the messages of a verification show beside its code. */
export class Verify0008 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN code_in_subject boolean NOT NULL DEFAULT false");
  }
}
