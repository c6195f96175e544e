import { Migration } from "@mikro-orm/migrations";

/** What resends are limited and erased by: `docs/decisions/0015-recipients-and-limits.md`. */
export class RecipientsAndLimits extends Migration {
  override up(): void {
    this.addSql(verifications);
  }
}

/**
 * `limit_indexes` are those of both recipients, under every master secret that was known: wrong codes count under all of
 * them. NULL in older rows, which are limited by `recipient_index`. The second recipient is that of the other form, mail or
 * phone. `sends` counts the messages, that of the start included.
 */
const verifications = `
  ALTER TABLE verification
    ADD COLUMN limit_indexes text[],
    ADD COLUMN second_recipient_sealed bytea,
    ADD COLUMN second_recipient_index text,
    ADD COLUMN end_user_sealed bytea,
    ADD COLUMN sends smallint NOT NULL DEFAULT 1;
  CREATE INDEX verification_by_second_recipient ON verification (workspace_id, mode, second_recipient_index)
    WHERE second_recipient_index IS NOT NULL`;
