import { Migration } from "@mikro-orm/migrations";

/** The hook of a workspace, which may veto sends: a column of the settings, so that a change of it is a version, too. */
export class Guard0003 extends Migration {
  override up(): void {
    this.addSql(`
      ALTER TABLE guard_setting
        ADD COLUMN hook_url text,
        ADD COLUMN hook_on_failure text CHECK (hook_on_failure IN ('allow', 'refuse')),
        ADD COLUMN hook_secret_id text,
        ADD COLUMN hook_secret_sealed bytea`);
    this.addSql(`
      CREATE INDEX guard_setting_of_hook_secret ON guard_setting (hook_secret_id) WHERE hook_secret_id IS NOT NULL`);
  }
}
