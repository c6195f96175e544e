import { Migration } from "@mikro-orm/migrations";

/** The range of the number that codes of a verification go to. */
export class Verify0007 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN number_range text");
  }
}
