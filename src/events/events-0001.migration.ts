import { Migration } from "@mikro-orm/migrations";

export class Events0001 extends Migration {
  override up(): void {
    this.addSql(pending);
    this.addSql(event);
    this.addSql(numberEvents);
  }
}

/**
 * A queue: nearly all of its rows are dead. Vacuumed by their number, because a share of nothing is nothing; its pages stay, so that
 * reading all of it never looks cheaper than its index.
 */
const pending = `
  CREATE SEQUENCE event_pending_number;
  CREATE TABLE event_pending (
    number bigint PRIMARY KEY DEFAULT nextval('event_pending_number'),
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    type text NOT NULL,
    subject_id text NOT NULL,
    created_at timestamptz NOT NULL,
    snapshot jsonb NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
  ALTER SEQUENCE event_pending_number OWNED BY event_pending.number;
  CREATE INDEX event_pending_of_workspace ON event_pending (workspace_id, number)`;

const event = `
  CREATE SEQUENCE event_position;
  CREATE TABLE event (
    position bigint PRIMARY KEY,
    id text NOT NULL CONSTRAINT event_id_key UNIQUE,
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    type text NOT NULL,
    subject_id text NOT NULL,
    created_at timestamptz NOT NULL,
    snapshot jsonb NOT NULL
  );
  CREATE INDEX event_of_workspace ON event (workspace_id, mode, position);
  CREATE INDEX event_of_type ON event (type, workspace_id, mode, position);
  CREATE INDEX event_of_subject ON event (subject_id, position);
  CREATE INDEX event_oldest_first ON event (created_at, position)`;

/**
 * Moves committed events from `event_pending` to `event`, in the order of their numbers, and gives them positions. Answers how many it
 * moved and the number of the last one, which is 0 if there was none, and the last position that is committed then.
 *
 * One transaction at a time does it, so that positions are committed in their order. Each statement has a snapshot of its own,
 * because the function is volatile: what was committed while it waited for the lock is moved too. `created_at` never goes back, so
 * that the order of positions is also that of time, unless the clock was set back.
 *
 * A server passes the last number that it knew to be moved a minute ago, so that it does not walk over what older ones left in the index.
 * Scans are switched off, because the table is nearly empty whenever it is planned for.
 *
 * A read-only session is an error also where there is nothing to move: the server closes its connection then, and does not keep it for
 * calls that write.
 *
 * The id is made here, as `createId` makes it.
 */
const numberEvents = `
  CREATE FUNCTION number_events(after_number bigint, batch integer, OUT moved integer, OUT last_number bigint, OUT last_position bigint)
  LANGUAGE plpgsql VOLATILE SET lock_timeout = '4s' SET enable_seqscan = off SET enable_bitmapscan = off AS $$
  DECLARE
    last_time timestamptz;
    time_of_ids text := id_time(byond_now());
  BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
      RAISE read_only_sql_transaction;
    END IF;
    moved := 0;
    last_number := 0;
    IF NOT EXISTS (SELECT FROM event_pending WHERE number > after_number) THEN
      SELECT coalesce(max(position), 0) INTO last_position FROM event;
      RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7269341953);
    SELECT coalesce(max(number), 0) INTO last_number FROM (
      SELECT number FROM event_pending WHERE number > after_number ORDER BY number LIMIT batch
    ) AS due;
    SELECT created_at INTO last_time FROM event ORDER BY position DESC LIMIT 1;
    IF last_time > byond_now() THEN
      last_time := NULL;
    END IF;
    WITH due AS (
      DELETE FROM event_pending WHERE number > after_number AND number <= last_number RETURNING *
    ), numbered AS (
      INSERT INTO event (position, id, workspace_id, mode, type, subject_id, created_at, snapshot)
      SELECT
        nextval('event_position'),
        'evt_' || time_of_ids || id_random(),
        workspace_id, mode, type, subject_id, time, snapshot
      FROM (
        SELECT *, greatest(last_time, max(created_at) OVER (ORDER BY number)) AS time FROM due ORDER BY number
      ) AS in_order
      RETURNING position
    )
    SELECT count(*) INTO moved FROM numbered;
    SELECT coalesce(max(position), 0) INTO last_position FROM event;
    IF moved > 0 THEN
      PERFORM pg_notify('byond_event', last_position::text);
    END IF;
  END $$`;
