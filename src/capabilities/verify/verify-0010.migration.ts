import { Migration } from "@mikro-orm/migrations";
import { insertEvent, isOfWorkspace } from "./verify-0003.migration.ts";

/**
 * What reports group verifications by: the country and the API key of the start, and the provider. And what its messages cost. Events tell it, so that
 * whoever counts them reads nothing else. Each statement by itself, and repeatable: see `verify-0003.migration.ts`.
 */
export class Verify0010 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`
      ALTER TABLE verification
        ADD COLUMN IF NOT EXISTS country text,
        ADD COLUMN IF NOT EXISTS key_id text,
        ADD COLUMN IF NOT EXISTS charged bigint`);
    for (const statement of [onStarted, onEnded, onMessage, onReceipt, endedTrigger]) {
      this.addSql(statement);
    }
  }
}

const groupOf = (subject: string) => `,
        'country', ${subject}.country,
        'keyId', ${subject}.key_id`;

/**
 * `sent`: whether a provider had accepted a message by then. `provider`: that one, or the one that refused the message of the event. `charged`: what the
 * messages up to then cost, those included whose price came back. The event of the end has all of it: whoever adds a message has the lock of the verification.
 */
const sentBy = (subject: string, provider: string, sent: string) => `,
        'provider', ${provider},
        'sent', ${sent},
        'charged', ${subject}.charged`;

/** The price of the event's message, if it came back: with this event, and once. */
const refunded = `,
        'refunded', CASE WHEN NEW.price IS NULL THEN OLD.price END`;

const onStarted = `
  CREATE OR REPLACE FUNCTION on_verification_changed() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    ${insertEvent({ type: "'started'", subject: "NEW", more: groupOf("NEW") })}
    RETURN NULL;
  END $$`;

/** Many a provider reports a delivery late, or never: the end of a verification tells that it was sent, too. */
const onEnded = `
  CREATE OR REPLACE FUNCTION on_verification_ended() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    accepted record;
  BEGIN
    SELECT true AS sent, provider INTO accepted FROM delivery_attempt
      WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.id AND provider_message_id IS NOT NULL
      ORDER BY finished_at LIMIT 1;
    ${insertEvent({
      type: "NEW.status",
      subject: "NEW",
      more: groupOf("NEW") + sentBy("NEW", "accepted.provider", "coalesce(accepted.sent, false)"),
    })}
    RETURN NULL;
  END $$`;

/** As in `verify-0003.migration.ts`, with the provider of the last attempt. */
const onMessage = `
  CREATE OR REPLACE FUNCTION on_code_message_finished() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    attempt record;
  BEGIN
    SELECT (array_agg(provider ORDER BY claim DESC))[1] AS provider, bool_or(awaits_receipt) AS awaits_receipt INTO attempt
      FROM delivery_attempt
      WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.subject_id AND outbox_id = NEW.id;
    ${insertEvent({
      type: "CASE NEW.status WHEN 'sent' THEN 'delivered' ELSE 'delivery_failed' END",
      subject: "subject",
      message: "NEW.id",
      status: "NEW.status",
      more: groupOf("subject") + sentBy("subject", "attempt.provider", "NEW.status = 'sent'") + refunded,
      from: `
    FROM verification AS subject
    WHERE subject.workspace_id = NEW.workspace_id AND subject.id = NEW.subject_id
      AND NOT (NEW.status = 'sent' AND coalesce(attempt.awaits_receipt, false))`,
    })}
    RETURN NULL;
  END $$`;

const onReceipt = `
  CREATE OR REPLACE FUNCTION on_code_receipt() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM FROM outbox WHERE workspace_id = NEW.workspace_id AND id = NEW.outbox_id FOR UPDATE;
    ${insertEvent({
      type: "CASE NEW.state WHEN 'failed' THEN 'delivery_failed' ELSE 'delivered' END",
      subject: "subject",
      message: "NEW.outbox_id",
      status: "NEW.state",
      more: groupOf("subject") + sentBy("subject", "NEW.provider", "true"),
      from: `
    FROM verification AS subject
    WHERE subject.workspace_id = NEW.workspace_id AND subject.id = NEW.subject_id AND NOT EXISTS (
      SELECT FROM delivery_attempt
      WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.subject_id AND outbox_id = NEW.outbox_id
        AND claim <> NEW.claim AND state IN ('delivered', 'read')
    )`,
    })}
    RETURN NULL;
  END $$`;

const endedTrigger = `
  CREATE OR REPLACE TRIGGER verification_ended AFTER UPDATE OF status ON verification
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND ${isOfWorkspace}) EXECUTE FUNCTION on_verification_ended()`;
