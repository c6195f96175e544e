import { Migration } from "@mikro-orm/migrations";

export class Templates0001 extends Migration {
  override up(): void {
    this.addSql(`
      CREATE TABLE message_template (
        workspace_id text NOT NULL,
        mode text NOT NULL CHECK (mode IN ('live', 'test')),
        channel text NOT NULL CHECK (channel IN ('email', 'sms', 'voice')),
        locale text NOT NULL,
        subject text,
        text text NOT NULL,
        html text,
        logo bytea,
        background_color text,
        text_color text,
        accent_color text,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, mode, channel, locale)
      )`);
  }
}
