import { Migration } from "@mikro-orm/migrations";

/** Whether a workspace keeps a history of its lookups. Servers of before neither read nor write it. */
export class Access0002 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE workspace ADD COLUMN lookup_history boolean NOT NULL DEFAULT false");
  }
}
