import { Migration } from "@mikro-orm/migrations";

/**
 * What the price of a message was charged to, as long as it may come back (null: it cost nothing, or may have been sent), and the price: null if it cost
 * nothing, or came back.
 */
export class Outbox0010 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE outbox ADD COLUMN charged_to text, ADD COLUMN price bigint");
    this.addSql(claimantLives);
  }
}

/** Whether the server that has claimed a message has a lease. Its registrations begin with its name. */
const claimantLives = `
  CREATE FUNCTION outbox_claimant_lives(claimant text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
      SELECT FROM server
      WHERE starts_with(id, claimant || '.') AND renewed_at > byond_now() - lease_ms * interval '2 milliseconds'
    )
  $$`;
