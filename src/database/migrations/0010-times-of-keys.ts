import { Migration } from "@mikro-orm/migrations";

/**
 * Keys end at a time that every answer can tell: JSON has no years beyond 9999. What a key was given of those before they
 * were refused becomes the last second that it has.
 */
export class TimesOfKeys extends Migration {
  override up(): void {
    this.addSql(
      `UPDATE api_key SET expires_at = '9999-12-31 23:59:59+00' WHERE expires_at >= '10000-01-01 00:00:00+00'`,
    );
    this.addSql(`UPDATE api_key SET expires_at = '0001-01-01 00:00:00+00' WHERE expires_at < '0001-01-01 00:00:00+00'`);
    this.addSql(`
      ALTER TABLE api_key ADD CONSTRAINT api_key_expires_at_can_be_told
        CHECK (expires_at >= '0001-01-01 00:00:00+00' AND expires_at < '10000-01-01 00:00:00+00')`);
  }
}
