import { Migration } from "@mikro-orm/migrations";

/** What the price of a message was charged to. Null: it cost nothing. */
export class Outbox0010 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE outbox ADD COLUMN charged_to text");
  }
}
