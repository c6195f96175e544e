import { Migration } from "@mikro-orm/migrations";

/** The span that wrote a message, as the header `traceparent` of W3C Trace Context names it. Null: its server sends no traces. */
export class Outbox0012 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE outbox ADD COLUMN trace_parent text");
  }
}
