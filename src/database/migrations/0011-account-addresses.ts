import { Migration } from "@mikro-orm/migrations";

/** An address belongs to whoever proves it: `docs/decisions/0017-accounts-and-addresses.md`. */
export class AccountAddresses extends Migration {
  override up(): void {
    this.addSql(accounts);
  }
}

/**
 * Only verified addresses are unique. `ends_at` is when an unverified account ends; `end_announced_at` is when its owner was
 * told. Accounts from before count as verified: most were made by operators.
 */
const accounts = `
  ALTER TABLE account
    DROP CONSTRAINT account_email_key,
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN end_announced_at timestamptz;
  UPDATE account SET email_verified_at = byond_now(), email_verification_id = NULL WHERE email_verified_at IS NULL;
  CREATE INDEX account_by_email ON account (email);
  CREATE UNIQUE INDEX account_verified_email ON account (email) WHERE email_verified_at IS NOT NULL;
  CREATE INDEX account_to_announce ON account (ends_at) WHERE end_announced_at IS NULL AND ends_at IS NOT NULL;
  CREATE INDEX account_to_end ON account (ends_at) WHERE end_announced_at IS NOT NULL`;
