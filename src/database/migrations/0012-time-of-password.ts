import { Migration } from "@mikro-orm/migrations";

/**
 * `password_set_at` is when the account's password was last chosen; a hash that is made anew with other parameters does not
 * count. Resets that were started before cannot set it any more, those that are pending during the upgrade included.
 */
export class TimeOfPassword extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE account ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT byond_now()");
  }
}
