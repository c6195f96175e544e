import { Migration } from "@mikro-orm/migrations";

/**
 * The device of the end user who asked for a code, as limits count it; and sources of checks that guess codes, each of which counts once for a verification.
 */
export class Verify0009 extends Migration {
  override up(): void {
    this.addSql("ALTER TABLE verification ADD COLUMN device_indexes text[], ADD COLUMN guess_tags integer[]");
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
    detected_until timestamptz,
    slowed_until timestamptz,
    guessed_before integer NOT NULL DEFAULT 0,
    approved_before integer NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, source)
  ) WITH (fillfactor = 60)`;

/**
 * Adds what a server counted of a source, and judges it by the half of the window that has begun and the half before it: `min_guessed` is the least
 * number of verifications, `min_ratio` how many times the approved ones they must be. What was approved still counts after the source was slowed. Only `enforce`
 * slows it. The event is written once in `slowed_for`, and again if it is slowed for the first time. The id is made here, as `createId` makes it.
 */
const noteGuesses = `
  CREATE FUNCTION note_guesses(
    workspace text, source_key text, more_guessed integer, more_approved integer, shown jsonb, mode text, window_length interval,
    min_guessed integer, min_ratio integer, slowed_for interval
  ) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    half interval := window_length / 2;
    counted guess_source;
    all_guessed integer;
    all_approved integer;
  BEGIN
    INSERT INTO guess_source AS held (workspace_id, source, since, guessed, approved)
    VALUES (workspace, source_key, moment, more_guessed, more_approved)
    ON CONFLICT (workspace_id, source) DO UPDATE SET (since, guessed, approved, guessed_before, approved_before) = (
      SELECT
        CASE WHEN is_present THEN held.since WHEN is_before THEN held.since + half ELSE moment END,
        CASE WHEN is_present THEN held.guessed ELSE 0 END + excluded.guessed,
        CASE WHEN is_present THEN held.approved ELSE 0 END + excluded.approved,
        CASE WHEN is_present THEN held.guessed_before WHEN is_before THEN held.guessed ELSE 0 END,
        CASE WHEN is_present THEN held.approved_before WHEN is_before THEN held.approved ELSE 0 END
      FROM (SELECT held.since > moment - half AS is_present, held.since > moment - window_length AS is_before) AS age
    )
    RETURNING held.* INTO counted;
    all_guessed := counted.guessed + counted.guessed_before;
    all_approved := counted.approved + counted.approved_before;
    IF all_guessed < min_guessed OR all_guessed < min_ratio * all_approved THEN
      RETURN false;
    END IF;
    UPDATE guess_source SET
        guessed = 0, guessed_before = 0, detected_until = moment + slowed_for,
        slowed_until = CASE WHEN mode = 'enforce' THEN moment + slowed_for ELSE slowed_until END
      WHERE workspace_id = workspace AND source = source_key;
    IF counted.detected_until > moment AND (mode <> 'enforce' OR counted.slowed_until > moment) THEN
      RETURN false;
    END IF;
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    VALUES (
      workspace, 'live', 'guessing.detected', 'gue_' || id_time(moment) || id_random(), moment,
      shown || jsonb_build_object(
        'guessed', all_guessed,
        'approved', all_approved,
        'since', (extract(
          epoch FROM CASE WHEN counted.guessed_before + counted.approved_before > 0 THEN counted.since - half ELSE counted.since END
        ) * 1000)::bigint,
        'slowedUntil', CASE WHEN mode = 'enforce' THEN (extract(epoch FROM moment + slowed_for) * 1000)::bigint END
      )
    );
    RETURN true;
  END $$`;
