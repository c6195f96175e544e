import { Migration } from "@mikro-orm/migrations";

/**
 * Verifications that have expired are stored as such, and what happens to verifications becomes events. Each statement by itself, and
 * repeatable: triggers on three tables in one transaction could wait for a message that is being recorded, and it for them.
 */
export class Verify0003 extends Migration {
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
    for (const statement of [onVerification, onMessage, onReceipt, ...triggers]) {
      this.addSql(statement);
    }
  }
}

/**
 * An INSERT of an event of a verification, with its columns at this moment. Each event costs a start or a check, so the rest is read when
 * somebody reads the event (`verification-events.ts`): recipients and metadata, so that erasing them erases them from events, and the
 * messages as they were `at` this moment. Of a message whose outcome is the event, the snapshot has the status.
 */
export const insertEvent = (event: {
  readonly type: string;
  readonly subject: string;
  readonly message?: string;
  readonly status?: string;
  readonly from?: string;
  /** More of the snapshot: names and SQL, each after a comma. */
  readonly more?: string;
}) => `
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    SELECT
      ${event.subject}.workspace_id, ${event.subject}.mode, 'verification.' || ${event.type}, ${event.subject}.id, byond_now(),
      jsonb_build_object(
        'at', byond_now(),
        'channel', ${event.subject}.channel,
        'status', ${event.subject}.status,
        'attemptsLeft',
        CASE ${event.subject}.status WHEN 'pending' THEN ${event.subject}.max_attempts - ${event.subject}.attempts ELSE 0 END,
        'createdAt', ${event.subject}.created_at,
        'expiresAt', ${event.subject}.expires_at,
        'approvedAt', ${event.subject}.approved_at,
        'message', ${event.message ?? "NULL"},
        'messageStatus', ${event.status ?? "NULL"}${event.more ?? ""}
      )
    ${event.from ?? ""};`;

const onVerification = `
  CREATE OR REPLACE FUNCTION on_verification_changed() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    ${insertEvent({ type: "CASE TG_OP WHEN 'INSERT' THEN 'started' ELSE NEW.status END", subject: "NEW" })}
    RETURN NULL;
  END $$`;

/**
 * A message is delivered once the last confirmation that its channel gives says so: for some, that the provider accepted it. What was
 * not sent before the verification ended has failed.
 */
const onMessage = `
  CREATE OR REPLACE FUNCTION on_code_message_finished() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    ${insertEvent({
      type: "CASE NEW.status WHEN 'sent' THEN 'delivered' ELSE 'delivery_failed' END",
      subject: "subject",
      message: "NEW.id",
      status: "NEW.status",
      from: `
    FROM verification AS subject
    WHERE subject.workspace_id = NEW.workspace_id AND subject.id = NEW.subject_id AND NOT (
      NEW.status = 'sent' AND EXISTS (
        SELECT FROM delivery_attempt
        WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.subject_id AND outbox_id = NEW.id AND awaits_receipt
      )
    )`,
    })}
    RETURN NULL;
  END $$`;

/** One message may have been sent twice, and have a receipt for each time: the first one counts. */
const onReceipt = `
  CREATE OR REPLACE FUNCTION on_code_receipt() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM FROM outbox WHERE workspace_id = NEW.workspace_id AND id = NEW.outbox_id FOR UPDATE;
    ${insertEvent({
      type: "CASE NEW.state WHEN 'failed' THEN 'delivery_failed' ELSE 'delivered' END",
      subject: "subject",
      message: "NEW.outbox_id",
      status: "NEW.state",
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

/** The server's own verifications, of accounts and password resets, are not those of a workspace. */
export const isOfWorkspace = "NOT starts_with(NEW.workspace_id, 'ws_byond/')";

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
