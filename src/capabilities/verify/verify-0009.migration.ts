import { Migration } from "@mikro-orm/migrations";

/** The device of the end user who asked for a code, as limits count it; and sources of checks that guess codes. */
export class Verify0009 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN device_indexes text[]");
    this.addSql(guessSource);
    this.addSql(noteGuesses);
  }
}

/** Rows of sources that guess are updated again and again, on their page: no index but that of the key. */
const guessSource = `
  CREATE TABLE guess_source (
    workspace_id text NOT NULL,
    source text NOT NULL,
    since timestamptz NOT NULL,
    guessed integer NOT NULL,
    approved integer NOT NULL,
    slowed_until timestamptz,
    PRIMARY KEY (workspace_id, source)
  ) WITH (fillfactor = 60)`;

/**
 * Adds what a server counted of a source, and judges it: `limits` is the window's length, the least number of verifications, how many times
 * the approved ones they must be, and how long the source is slowed. A source that was not slowed before writes the event. The id is made here,
 * as `createId` makes it.
 */
const noteGuesses = `
  CREATE FUNCTION note_guesses(
    workspace text, source_key text, more_guessed integer, more_approved integer, shown jsonb, mode text, window_length interval,
    min_guessed integer, min_ratio integer, slowed_for interval
  ) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    counted guess_source;
  BEGIN
    INSERT INTO guess_source AS held (workspace_id, source, since, guessed, approved)
    VALUES (workspace, source_key, moment, more_guessed, more_approved)
    ON CONFLICT (workspace_id, source) DO UPDATE SET
      since = CASE WHEN held.since > moment - window_length THEN held.since ELSE moment END,
      guessed = CASE WHEN held.since > moment - window_length THEN held.guessed ELSE 0 END + excluded.guessed,
      approved = CASE WHEN held.since > moment - window_length THEN held.approved ELSE 0 END + excluded.approved
    RETURNING held.* INTO counted;
    IF counted.guessed < min_guessed OR counted.guessed < min_ratio * counted.approved THEN
      RETURN false;
    END IF;
    UPDATE guess_source SET since = moment, guessed = 0, approved = 0, slowed_until = moment + slowed_for
      WHERE workspace_id = workspace AND source = source_key;
    IF counted.slowed_until > moment THEN
      RETURN false;
    END IF;
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    VALUES (
      workspace, 'live', 'guessing.detected', 'gue_' || id_time(moment) || id_random(), moment,
      shown || jsonb_build_object(
        'guessed', counted.guessed,
        'approved', counted.approved,
        'since', (extract(epoch FROM counted.since) * 1000)::bigint,
        'slowedUntil', CASE WHEN mode = 'enforce' THEN (extract(epoch FROM moment + slowed_for) * 1000)::bigint END
      )
    );
    RETURN true;
  END $$`;
