import { Migration } from "@mikro-orm/migrations";

/**
 * Verifications that have expired are stored as such, and what happens to verifications becomes events. Each statement by itself, and
 * repeatable: triggers on three tables in one transaction could wait for a message that is being recorded, and it for them.
 */
export class Verify0004 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`
      ALTER TABLE verification DROP CONSTRAINT IF EXISTS verification_status_check,
        ADD CONSTRAINT verification_status_check
          CHECK (status IN ('pending', 'approved', 'expired', 'locked', 'canceled', 'channel_unavailable')) NOT VALID`);
    this.addSql("ALTER TABLE verification VALIDATE CONSTRAINT verification_status_check");
    // Its predicate says what is true of all rows: only the sweep, which says it too, is to use it.
    this.addSql("DROP INDEX CONCURRENTLY IF EXISTS verification_by_expiry");
    this.addSql(`
      CREATE INDEX CONCURRENTLY verification_by_expiry ON verification (expires_at) WHERE status = 'pending' AND expires_at < 'infinity'`);
    for (const statement of [writeEvent, onVerification, onMessage, onReceipt, ...triggers]) {
      this.addSql(statement);
    }
  }
}

/**
 * Writes an event of a verification with its columns at this moment, as `verification-view.ts` reads them. Recipients and metadata are
 * not among them: who reads the event reads them from the verification, so that erasing them erases them from events.
 */
const writeEvent = `
  CREATE OR REPLACE FUNCTION write_verification_event(event_type text, subject verification) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    VALUES (
      subject.workspace_id, subject.mode, event_type, subject.id, date_trunc('milliseconds', byond_now()),
      jsonb_build_object(
        'channel', subject.channel,
        'status', subject.status,
        'attemptsLeft', CASE subject.status WHEN 'pending' THEN subject.max_attempts - subject.attempts ELSE 0 END,
        'createdAt', (extract(epoch FROM subject.created_at) * 1000)::bigint,
        'expiresAt', (extract(epoch FROM subject.expires_at) * 1000)::bigint,
        'approvedAt', (extract(epoch FROM subject.approved_at) * 1000)::bigint,
        'deliveries', (
          SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', message.id,
            'lane', message.lane,
            'attempts', message.attempts,
            'status', CASE message.status WHEN 'pending' THEN 'queued' WHEN 'sent' THEN coalesce(attempt.state, 'sent')
              ELSE message.status END,
            'providerMessageId', attempt.provider_message_id,
            'error', attempt.error,
            'createdAt', (extract(epoch FROM message.created_at) * 1000)::bigint,
            'sentAt', (
              SELECT (extract(epoch FROM min(finished_at)) * 1000)::bigint FROM delivery_attempt
              WHERE workspace_id = message.workspace_id AND subject_id = message.subject_id AND outbox_id = message.id
                AND provider_message_id IS NOT NULL
            )
          ) ORDER BY message.created_at, message.id), '[]')
          FROM (SELECT * FROM outbox WHERE subject_id = subject.id OFFSET 0) AS message
          LEFT JOIN LATERAL (
            SELECT state, provider_message_id, error FROM delivery_attempt
            WHERE workspace_id = message.workspace_id AND subject_id = message.subject_id AND outbox_id = message.id
            ORDER BY claim DESC LIMIT 1
          ) AS attempt ON true
          WHERE message.workspace_id = subject.workspace_id
        )
      )
    );
  END $$`;

const onVerification = `
  CREATE OR REPLACE FUNCTION on_verification_changed() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM write_verification_event(
      'verification.' || CASE TG_OP WHEN 'INSERT' THEN 'started' ELSE NEW.status END, NEW
    );
    RETURN NULL;
  END $$`;

/**
 * A message is delivered once the last confirmation that its channel gives says so: for some, that the provider accepted it. What was
 * not sent before the verification ended has failed.
 */
const onMessage = `
  CREATE OR REPLACE FUNCTION on_code_message_finished() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    subject verification;
  BEGIN
    IF NEW.status = 'sent' AND EXISTS (
      SELECT FROM delivery_attempt
      WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.subject_id AND outbox_id = NEW.id AND awaits_receipt
    ) THEN
      RETURN NULL;
    END IF;
    SELECT * INTO subject FROM verification WHERE workspace_id = NEW.workspace_id AND id = NEW.subject_id;
    IF FOUND THEN
      PERFORM write_verification_event(
        'verification.' || CASE NEW.status WHEN 'sent' THEN 'delivered' ELSE 'delivery_failed' END, subject
      );
    END IF;
    RETURN NULL;
  END $$`;

/** One message may have been sent twice, and have a receipt for each time: the first one counts. */
const onReceipt = `
  CREATE OR REPLACE FUNCTION on_code_receipt() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    subject verification;
  BEGIN
    SELECT * INTO subject FROM verification WHERE workspace_id = NEW.workspace_id AND id = NEW.subject_id;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    PERFORM FROM outbox WHERE workspace_id = NEW.workspace_id AND id = NEW.outbox_id FOR UPDATE;
    IF EXISTS (
      SELECT FROM delivery_attempt
      WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.subject_id AND outbox_id = NEW.outbox_id
        AND claim <> NEW.claim AND state IN ('delivered', 'read')
    ) THEN
      RETURN NULL;
    END IF;
    PERFORM write_verification_event(
      'verification.' || CASE NEW.state WHEN 'failed' THEN 'delivery_failed' ELSE 'delivered' END, subject
    );
    RETURN NULL;
  END $$`;

/** The server's own verifications, of accounts and password resets, are not those of a workspace. */
const isOfWorkspace = "NOT starts_with(NEW.workspace_id, 'ws_byond/')";

const triggers = [
  `
  CREATE OR REPLACE TRIGGER verification_started AFTER INSERT ON verification
    FOR EACH ROW WHEN (${isOfWorkspace}) EXECUTE FUNCTION on_verification_changed()`,
  `
  CREATE OR REPLACE TRIGGER verification_ended AFTER UPDATE OF status ON verification
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND ${isOfWorkspace}) EXECUTE FUNCTION on_verification_changed()`,
  `
  CREATE OR REPLACE TRIGGER code_message_finished AFTER UPDATE OF status ON outbox
    FOR EACH ROW WHEN (
      NEW.kind = 'verification_code' AND OLD.status = 'pending' AND NEW.status <> 'pending' AND ${isOfWorkspace}
    ) EXECUTE FUNCTION on_code_message_finished()`,
  `
  CREATE OR REPLACE TRIGGER code_receipt AFTER UPDATE OF state ON delivery_attempt
    FOR EACH ROW WHEN (
      NEW.awaits_receipt AND OLD.state = ANY ('{sent,failed}') AND NEW.state = ANY ('{delivered,read,failed}')
        AND NEW.state <> OLD.state AND ${isOfWorkspace}
    ) EXECUTE FUNCTION on_code_receipt()`,
];
