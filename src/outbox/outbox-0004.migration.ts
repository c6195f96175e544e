import { Migration } from "@mikro-orm/migrations";

export class Outbox0004 extends Migration {
  override up(): void {
    this.addSql(outboxLane);
    this.addSql(noteDue);
    this.addSql(claimGroup);
  }
}

const outboxLane = `
  CREATE TABLE outbox_lane (
    lane text PRIMARY KEY,
    lane_group text NOT NULL,
    due_at timestamptz NOT NULL
  );
  CREATE INDEX outbox_lane_due ON outbox_lane (lane_group, due_at)`;

/**
 * A message of a group's lane that is written, or due earlier than it was, gives the lane an earlier turn. The row is locked even if
 * nothing changes: a claim that runs meanwhile does not see the message yet, and must not find that the lane has none.
 */
const noteDue = `
  CREATE FUNCTION outbox_note_due() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO outbox_lane (lane, lane_group, due_at)
    VALUES (NEW.lane, split_part(NEW.lane, '/', 1), NEW.available_at)
    ON CONFLICT (lane) DO UPDATE SET due_at = excluded.due_at WHERE outbox_lane.due_at > excluded.due_at;
    RETURN NULL;
  END $$;
  CREATE TRIGGER outbox_written AFTER INSERT ON outbox FOR EACH ROW
    WHEN (NEW.status = 'pending' AND strpos(NEW.lane, '/') > 0)
    EXECUTE FUNCTION outbox_note_due();
  CREATE TRIGGER outbox_due_earlier AFTER UPDATE OF available_at ON outbox FOR EACH ROW
    WHEN (NEW.status = 'pending' AND NEW.available_at < OLD.available_at AND strpos(NEW.lane, '/') > 0)
    EXECUTE FUNCTION outbox_note_due()`;

/**
 * Claims what is due in the lanes of a group, in turns: a lane that has had its turn goes behind those that were due before. `places`
 * are those of the whole group; a lane has `places_each`, or as many as are said for it. Lanes and messages that another server is
 * claiming are skipped. What has expired is given up on the way. A lane without messages loses its row.
 */
const claimGroup = `
  CREATE FUNCTION outbox_claim_group(
    group_name text, places integer, places_each integer, known_lanes text[], known_places integer[], server_id text,
    duration interval
  ) RETURNS SETOF outbox
  LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    places_left integer := places;
    lane_places integer;
    lane_name text;
    next_due timestamptz;
    due record;
    claimed outbox;
  BEGIN
    FOR lane_name IN
      SELECT lane FROM outbox_lane
      WHERE lane_group = group_name AND due_at <= moment
        AND coalesce(known_places[array_position(known_lanes, lane)], 1) > 0
      ORDER BY due_at LIMIT places
      FOR UPDATE SKIP LOCKED
    LOOP
      EXIT WHEN places_left <= 0;
      lane_places := least(places_left, coalesce(known_places[array_position(known_lanes, lane_name)], places_each));
      FOR due IN
        SELECT workspace_id, id FROM outbox
        WHERE status = 'pending' AND lane = lane_name AND available_at <= moment
        ORDER BY available_at LIMIT lane_places
        FOR UPDATE SKIP LOCKED
      LOOP
        UPDATE outbox SET
          status = CASE WHEN expires_at > moment THEN 'pending' ELSE 'expired' END,
          claim = claim + 1,
          claimed_by = server_id,
          available_at = byond_now() + duration,
          finished_at = CASE WHEN expires_at > moment THEN NULL ELSE moment END,
          payload_sealed = CASE WHEN expires_at > moment THEN payload_sealed END,
          last_error = CASE WHEN expires_at > moment THEN last_error ELSE coalesce(last_error, 'expired before it could be sent') END
        WHERE workspace_id = due.workspace_id AND id = due.id
        RETURNING * INTO claimed;
        IF claimed.status = 'pending' THEN
          places_left := places_left - 1;
          RETURN NEXT claimed;
        END IF;
      END LOOP;
      SELECT available_at INTO next_due FROM outbox
        WHERE status = 'pending' AND lane = lane_name ORDER BY available_at LIMIT 1;
      IF FOUND THEN
        UPDATE outbox_lane SET due_at = greatest(next_due, moment) WHERE lane = lane_name;
      ELSE
        DELETE FROM outbox_lane WHERE lane = lane_name;
      END IF;
    END LOOP;
  END $$`;
