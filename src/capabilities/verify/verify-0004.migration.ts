import { Migration } from "@mikro-orm/migrations";
import { outboxChannel } from "../../outbox/outbox.policy.ts";

/**
 * Fallback, and starts that use a pending verification. Each statement by itself, and repeatable: triggers on three tables in one transaction
 * could wait for a message that is being recorded, and it for them.
 */
export class Verify0004 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN IF NOT EXISTS fallback jsonb");
    this.addSql("ALTER TABLE verification ADD COLUMN IF NOT EXISTS unsent_recipient text");
    this.addSql(`
      ALTER TABLE verification DROP CONSTRAINT IF EXISTS verification_unsent_recipient_check,
        ADD CONSTRAINT verification_unsent_recipient_check CHECK (unsent_recipient IN ('first', 'second')) NOT VALID`);
    this.addSql("ALTER TABLE verification VALIDATE CONSTRAINT verification_unsent_recipient_check");
    for (const statement of [
      hasArrived,
      endStep,
      bringForward,
      onMessage,
      onAttempt,
      onVerification,
      toReuse,
      ...triggers,
    ]) {
      this.addSql(statement);
    }
  }
}

/** Whether a message of a verification was delivered, or was sent by a provider that reports no delivery. */
const hasArrived = `
  CREATE OR REPLACE FUNCTION code_has_arrived(workspace text, verification text) RETURNS boolean
  LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
      SELECT FROM delivery_attempt
      WHERE workspace_id = workspace AND subject_id = verification
        AND (state = ANY ('{delivered,read}') OR (state = 'sent' AND NOT awaits_receipt))
    )
  $$`;

/**
 * Ends the step that waits. One that somebody has locked is left out, so that nobody waits for a step while holding something else: it is
 * being claimed or taken, and whoever takes a step asks again whether it is needed.
 */
const endStep = `
  CREATE OR REPLACE FUNCTION fallback_end_step(workspace text, verification text, reason text) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    UPDATE outbox SET status = 'expired', payload_sealed = NULL, finished_at = byond_now(), last_error = reason
      WHERE workspace_id = workspace AND id = (
        SELECT id FROM outbox
        WHERE subject_id = verification AND workspace_id = workspace AND kind = 'verification_fallback' AND finished_at IS NULL
        FOR UPDATE SKIP LOCKED
      );
  END $$`;

/**
 * Has the next step taken at once, if the message is the newest of the verification. That includes a step that was skipped because a message
 * was taken for delivered that has come back since.
 */
const bringForward = `
  CREATE OR REPLACE FUNCTION fallback_bring_forward(workspace text, verification text, message text) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    step_id text;
  BEGIN
    PERFORM FROM verification AS subject
      WHERE subject.workspace_id = workspace AND subject.id = verification
        AND subject.status = 'pending' AND subject.expires_at > byond_now();
    IF NOT FOUND OR code_has_arrived(workspace, verification) THEN
      RETURN;
    END IF;
    PERFORM FROM outbox
      WHERE subject_id = verification AND workspace_id = workspace AND kind <> 'verification_fallback'
        AND created_at > (SELECT created_at FROM outbox WHERE workspace_id = workspace AND id = message);
    IF FOUND THEN
      RETURN;
    END IF;
    SELECT id INTO step_id FROM outbox
      WHERE subject_id = verification AND workspace_id = workspace AND kind = 'verification_fallback'
        AND (finished_at IS NULL OR (status = 'expired' AND last_error = 'delivered'))
      FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      UPDATE outbox SET
        status = 'pending', payload_sealed = '', finished_at = NULL, last_error = NULL, claimed_by = NULL,
        available_at = byond_now()
        WHERE workspace_id = workspace AND id = step_id;
      PERFORM pg_notify('${outboxChannel}', '');
    END IF;
  END $$`;

/** As `fallback_end_step`, in one statement: for most messages with a fallback it runs, and each of its parts costs some 10 µs. */
const onMessage = `
  CREATE OR REPLACE FUNCTION on_fallback_message_finished() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    IF NEW.status <> 'sent' THEN
      PERFORM fallback_bring_forward(NEW.workspace_id, NEW.subject_id, NEW.id);
      RETURN NULL;
    END IF;
    UPDATE outbox SET status = 'expired', payload_sealed = NULL, finished_at = byond_now(), last_error = 'delivered'
      WHERE workspace_id = NEW.workspace_id AND id = (
        SELECT id FROM outbox
        WHERE subject_id = NEW.subject_id AND workspace_id = NEW.workspace_id AND kind = 'verification_fallback'
          AND finished_at IS NULL
          AND NOT EXISTS (
            SELECT FROM delivery_attempt
            WHERE workspace_id = NEW.workspace_id AND subject_id = NEW.subject_id AND outbox_id = NEW.id AND awaits_receipt
          )
        FOR UPDATE OF outbox SKIP LOCKED
      );
    RETURN NULL;
  END $$`;

/** What is known of an attempt after it was recorded: receipts, and mail that came back. */
const onAttempt = `
  CREATE OR REPLACE FUNCTION on_fallback_message_reported() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM FROM outbox
      WHERE workspace_id = NEW.workspace_id AND id = NEW.outbox_id AND kind = 'verification_code_with_fallback';
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    IF NEW.state = 'failed' THEN
      PERFORM fallback_bring_forward(NEW.workspace_id, NEW.subject_id, NEW.outbox_id);
    ELSE
      PERFORM fallback_end_step(NEW.workspace_id, NEW.subject_id, 'delivered');
    END IF;
    RETURN NULL;
  END $$`;

const onVerification = `
  CREATE OR REPLACE FUNCTION on_fallback_ended() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM fallback_end_step(NEW.workspace_id, NEW.id, 'ended');
    RETURN NULL;
  END $$`;

/**
 * The newest pending verification of a recipient whose code can be sent again. Whoever asks holds a lock until the end of the transaction, so
 * that of two starts at the same moment the second one finds the verification of the first: the query has a snapshot of its own, taken after
 * the lock. The recipient has an index for each master secret, and two servers share at least one of them. Other metadata may name another
 * user, who would be taken for the one who entered the code. A code that is over in less than ten seconds would arrive too late.
 */
const toReuse = `
  CREATE OR REPLACE FUNCTION verification_to_reuse(
    workspace text, of_mode text, of_channel text, indexes text[], of_metadata jsonb, known_secrets text[], max_sends integer
  ) RETURNS text
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM lock_subjects(
      '{}', ARRAY(SELECT 'reuse:' || workspace || ':' || of_mode || ':' || of_channel || ':' || index FROM unnest(indexes) AS index)
    );
    RETURN (
      SELECT id FROM verification
      WHERE recipient_index = ANY (indexes) AND workspace_id || '' = workspace AND mode || '' = of_mode
        AND channel = of_channel AND status = 'pending' AND expires_at > byond_now() + interval '10 seconds' AND sends < max_sends
        AND secret_id = ANY (known_secrets) AND metadata = of_metadata
      ORDER BY created_at DESC LIMIT 1
    );
  END $$`;

/** The server's own verifications, of accounts and password resets, are not those of a workspace. */
const isOfWorkspace = "NOT starts_with(NEW.workspace_id, 'ws_byond/')";

const triggers = [
  `
  CREATE OR REPLACE TRIGGER code_message_finished AFTER UPDATE OF status ON outbox
    FOR EACH ROW WHEN (
      NEW.kind = ANY ('{verification_code,verification_code_with_fallback}') AND OLD.status = 'pending'
        AND NEW.status <> 'pending' AND ${isOfWorkspace}
    ) EXECUTE FUNCTION on_code_message_finished()`,
  `
  CREATE OR REPLACE TRIGGER fallback_message_finished AFTER UPDATE OF status ON outbox
    FOR EACH ROW WHEN (
      NEW.kind = 'verification_code_with_fallback' AND OLD.status = 'pending' AND NEW.status <> 'pending'
    ) EXECUTE FUNCTION on_fallback_message_finished()`,
  `
  CREATE OR REPLACE TRIGGER fallback_message_reported AFTER UPDATE OF state ON delivery_attempt
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.state = ANY ('{delivered,read,failed}'))
    EXECUTE FUNCTION on_fallback_message_reported()`,
  `
  CREATE OR REPLACE TRIGGER fallback_ended AFTER UPDATE OF status ON verification
    FOR EACH ROW WHEN (OLD.status = 'pending' AND NEW.status <> 'pending' AND OLD.fallback IS NOT NULL)
    EXECUTE FUNCTION on_fallback_ended()`,
];
