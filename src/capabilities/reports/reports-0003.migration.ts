import { Migration } from "@mikro-orm/migrations";
import { slotMinutes } from "./reports.policy.ts";

/** Each statement by itself, and repeatable: a trigger and a table in one transaction could wait for a message that is being recorded. */
export class Reports0003 extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    for (const statement of [verificationRefund, noteRefund, countRefunds, lateRefund]) {
      this.addSql(statement);
    }
  }
}

const verificationRefund = `
  CREATE TABLE IF NOT EXISTS verification_refund (
    workspace_id text NOT NULL,
    message_id text NOT NULL,
    subject_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    started_at timestamptz NOT NULL,
    channel text NOT NULL,
    country text NOT NULL,
    key_id text NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
  )`;

/** Notes a price that comes back after the event of its message, which did not tell it, with what the verification's slots are found by. */
const noteRefund = `
  CREATE OR REPLACE FUNCTION report_note_refund() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO verification_refund (workspace_id, message_id, subject_id, mode, started_at, channel, country, key_id, amount)
      SELECT workspace_id, NEW.id, id, mode, created_at, channel, coalesce(country, ''), coalesce(key_id, ''), OLD.price
      FROM verification WHERE workspace_id = NEW.workspace_id AND id = NEW.subject_id;
    RETURN NULL;
  END $$`;

/**
 * Subtracts what was noted from the slots in which its verifications are counted, and answers how many prices it took, each once. Under the lock of
 * the numbering of events, so that slots still have one writer at a time. What waits for an event of its verification is left: the event adds the
 * price, and may tell the provider. In the order in which events are counted, as every statement that locks several rows.
 *
 * A limited wait, and no scans, because the table is nearly empty whenever it is planned for: as in `number_events`.
 */
const countRefunds = `
  CREATE OR REPLACE FUNCTION report_count_refunds(batch integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE SET lock_timeout = '4s' SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  DECLARE
    taken integer;
  BEGIN
    PERFORM pg_advisory_xact_lock(7269341953);
    WITH due AS MATERIALIZED (
      DELETE FROM verification_refund AS refund USING (
        SELECT workspace_id, message_id FROM verification_refund AS waiting
        WHERE NOT EXISTS (
          SELECT FROM event_pending WHERE workspace_id = waiting.workspace_id AND subject_id = waiting.subject_id
        )
        ORDER BY workspace_id, message_id LIMIT batch FOR UPDATE SKIP LOCKED
      ) AS found
      WHERE refund.workspace_id = found.workspace_id AND refund.message_id = found.message_id
      RETURNING refund.*
    ), subtracted AS (
      INSERT INTO verification_slot AS counted (workspace_id, mode, minutes, slot, channel, country, provider, key_id, cost)
      SELECT
        workspace_id, mode, minutes, date_bin(minutes * interval '1 minute', started_at, 'epoch') AS slot, channel, country,
        provider, key_id, -sum(amount)
      FROM due, LATERAL (
        SELECT coalesce((
          SELECT coalesce(snapshot ->> 'provider', '') FROM event
          WHERE subject_id = due.subject_id AND type <> 'verification.started' AND starts_with(type, 'verification.')
          ORDER BY position LIMIT 1
        ), '') AS provider
      ) AS outcome, unnest(ARRAY[${Object.values(slotMinutes).join(", ")}]) AS minutes
      GROUP BY workspace_id, mode, minutes, slot, channel, country, provider, key_id
      ORDER BY workspace_id, mode, minutes, slot, channel, country, provider, key_id
      ON CONFLICT (workspace_id, mode, minutes, slot, channel, country, provider, key_id)
        DO UPDATE SET cost = coalesce(counted.cost, 0) + excluded.cost
    )
    SELECT count(*) INTO taken FROM due;
    RETURN taken;
  END $$`;

/** After the trigger that gives the price back (`balance-0002.migration.ts`). While a message is pending, the event of its end tells it. */
const lateRefund = `
  CREATE OR REPLACE TRIGGER message_refunded_late AFTER UPDATE OF claimed_by ON outbox
    FOR EACH ROW WHEN (OLD.price IS NOT NULL AND NEW.price IS NULL AND OLD.status <> 'pending')
    EXECUTE FUNCTION report_note_refund()`;
