import { Migration } from "@mikro-orm/migrations";

export class Verify0001 extends Migration {
  override up(): void {
    this.addSql(verification);
  }
}

const verification = `
  CREATE TABLE verification (
    workspace_id text NOT NULL,
    id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    channel text NOT NULL CHECK (channel IN ('sms', 'voice', 'whatsapp', 'email')),
    status text NOT NULL CHECK (status IN ('pending', 'approved', 'locked', 'canceled', 'channel_unavailable')),
    recipient_sealed bytea,
    recipient_index text,
    second_recipient_sealed bytea,
    second_recipient_index text,
    limit_indexes text[],
    end_user_sealed bytea,
    brand text NOT NULL,
    locale text,
    autofill_domain text,
    metadata jsonb NOT NULL,
    code_length smallint NOT NULL CHECK (code_length BETWEEN 4 AND 10),
    secret_id text NOT NULL,
    sends smallint NOT NULL DEFAULT 1,
    attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL,
    last_attempt_id text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    approved_at timestamptz,
    PRIMARY KEY (workspace_id, id)
  ) WITH (fillfactor = 80);
  CREATE INDEX verification_list ON verification (workspace_id, mode, created_at DESC, id DESC)
    WHERE created_at > '-infinity';
  CREATE INDEX verification_of_recipient ON verification (recipient_index, workspace_id, mode);
  CREATE INDEX verification_by_second_recipient ON verification (workspace_id, mode, second_recipient_index)
    WHERE second_recipient_index IS NOT NULL;
  CREATE INDEX verification_oldest_first ON verification (created_at);
  CREATE INDEX verification_of_server ON verification (created_at) WHERE starts_with(workspace_id, 'ws_byond/')`;
