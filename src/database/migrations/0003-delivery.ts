import { Migration } from "@mikro-orm/migrations";

/** Attempts at delivery. */
export class Delivery extends Migration {
  override up(): void {
    this.addSql(deliveryAttempts);
  }
}

/**
 * Every attempt to send a message, and what became of it. A claim of a message makes one attempt at most. The first states
 * are the worker's (`sent`, `retried`, `failed`), the later ones come from providers that tell (`delivered`, `read`, `failed`).
 */
const deliveryAttempts = `
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
