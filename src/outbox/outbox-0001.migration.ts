import { Migration } from "@mikro-orm/migrations";

export class Outbox0001 extends Migration {
  override up(): void {
    this.addSql(outbox);
    this.addSql(deliveryAttempt);
  }
}

const outbox = `
  CREATE TABLE outbox (
    workspace_id text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    subject_id text NOT NULL,
    payload_sealed bytea CHECK (payload_sealed IS NOT NULL OR status <> 'pending'),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed', 'expired')),
    attempts integer NOT NULL DEFAULT 0,
    claim integer NOT NULL DEFAULT 1,
    claimed_by text,
    available_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    finished_at timestamptz,
    last_error text,
    PRIMARY KEY (workspace_id, id)
  );
  CREATE INDEX outbox_due ON outbox (lane, available_at) WHERE status = 'pending';
  CREATE INDEX outbox_of_subject ON outbox (subject_id, workspace_id, created_at)`;

const deliveryAttempt = `
  CREATE TABLE delivery_attempt (
    workspace_id text NOT NULL,
    subject_id text NOT NULL,
    outbox_id text NOT NULL,
    claim integer NOT NULL,
    lane text NOT NULL,
    state text NOT NULL CHECK (state IN ('sent', 'retried', 'failed', 'delivered', 'read')),
    provider_message_id text,
    error text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz,
    PRIMARY KEY (workspace_id, subject_id, outbox_id, claim)
  );
  CREATE INDEX delivery_attempt_provider_message ON delivery_attempt (provider_message_id)
    WHERE lane = 'whatsapp' AND provider_message_id IS NOT NULL`;
