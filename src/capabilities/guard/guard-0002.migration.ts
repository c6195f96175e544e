import { Migration } from "@mikro-orm/migrations";
import { bucketSeconds } from "./traffic.policy.ts";

/** Counts starts and approvals by range of numbers, for `guard-0003.migration.ts` to judge (decision 70). */
export class Guard0002 extends Migration {
  override up(): void {
    this.addSql(count);
    this.addSql(approval);
    this.addSql(countryRange);
    this.addSql(countTraffic);
  }
}

/**
 * Rows of the current moment are updated again and again, on their page: no index but that of the key has a column that changes. The other index is
 * for the sweep alone, which names its predicate: windows are read by the key.
 */
const count = `
  CREATE TABLE guard_count (
    workspace_id text NOT NULL,
    number_range text NOT NULL,
    at timestamptz NOT NULL,
    started integer NOT NULL,
    failed integer NOT NULL,
    approved integer NOT NULL,
    PRIMARY KEY (workspace_id, number_range, at)
  ) WITH (fillfactor = 60);
  CREATE INDEX guard_count_oldest_first ON guard_count (at) WHERE at < 'infinity'`;

const approval = `
  CREATE TABLE guard_approval (
    workspace_id text NOT NULL PRIMARY KEY,
    approved_at timestamptz NOT NULL
  )`;

/** As `countryRange` in `number-range.ts`: a test compares the two. */
const countryRange = `
  CREATE FUNCTION guard_country_range(number_range text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substring(
      number_range FROM '^\\+(?:1\\d{3}|7\\d|2[07]|2[1-689]\\d|3[0-469]|3[578]\\d|4[013-9]|42\\d|5[1-8]|5[09]\\d|6[0-6]|6[7-9]\\d|8[1246]|8[035789]\\d|9[0-58]|9[679]\\d)'
    ) || 'x'
  $$`;

/** The range of all numbers. */
export const allNumbers = "'+x'";

/** The failures of `message`. */
const failures = `(
                SELECT workspace_id, type, position, snapshot FROM event WHERE subject_id = touched.verification_id OFFSET 0
              ) AS failure
              WHERE workspace_id = touched.workspace_id AND type = 'verification.delivery_failed' AND snapshot ->> 'message' = message.id`;

/** Messages with the code of `touched`, with their columns. */
const messagesOf = (columns: string, condition: string) => `(
            SELECT ${columns} FROM (
              SELECT workspace_id, id, kind, lane, status, created_at FROM outbox
              WHERE ${condition} AND subject_id = touched.verification_id
              OFFSET 0
            ) AS message
            WHERE workspace_id = touched.workspace_id AND kind <> 'verification_fallback'`;

/**
 * Counts starts, failed messages and approvals when their events get a position: in the same transaction, one of which runs at a time, so that
 * each event is counted once and no two transactions wait for a row (decision 53). A verification counts at the time of its first message to the number,
 * for its range, for the country and for all numbers.
 *
 * Messages to a mail address do not count: neither one that failed, nor the approval of a code that came with one. The code is the same in all messages; it
 * is taken to have come with the last one that had not failed when it was entered.
 *
 * A verification has failed while all its messages to the number have, unless it was approved: a code that was entered has arrived, even if the server
 * that sent it was killed before it knew, so that the message counts as one that was not sent before the verification ended. A message that the provider accepted
 * has not failed, whatever is reported of it later: it is paid for. What a verification was before and what it is now follow from its messages and from its
 * events, of which those of this run have a position from `since`; messages that a resend or a fallback wrote since the last run are in `late`.
 *
 * Only what begins a new bucket is judged: what is old enough to be judged changes with time, and approvals that come later only make it better.
 *
 * An error would leave the events of everybody without positions. A verification without a range is left out. One that was erased
 * has its range still, and may have had a mail address.
 */
const countTraffic = `
  CREATE FUNCTION guard_count_traffic() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    workspaces text[];
    ranges text[];
  BEGIN
    WITH late AS (
      DELETE FROM late_number_send RETURNING workspace_id, verification_id, message_id, is_first
    ), touched AS MATERIALIZED (
      SELECT
        workspace_id, verification_id, coalesce(min(position), ${2n ** 63n - 1n}) AS since,
        bool_or(type = 'verification.started') AS is_started, bool_or(type = 'verification.approved') AS is_approved,
        bool_or(is_first) AS is_started_late, bool_or(type <> 'verification.started') AS may_differ
      FROM (
        SELECT workspace_id, subject_id AS verification_id, position, type, false AS is_first FROM numbered
        WHERE mode = 'live' AND type IN ('verification.started', 'verification.delivery_failed', 'verification.approved')
        UNION ALL
        SELECT workspace_id, verification_id, NULL, 'late', is_first FROM late
      ) AS of_run
      GROUP BY workspace_id, verification_id
    ), happened AS MATERIALIZED (
      SELECT
        workspace_id, number_range, date_bin('${bucketSeconds} seconds', subject.sent_at, 'epoch') AS at,
        (is_started AND NOT is_late) OR is_started_late AS is_start,
        is_approved AND came_to_number AS is_approval,
        (has_failed AND NOT (approved_at IS NOT NULL AND came_to_number))::integer
          - (had_failed AND NOT (coalesce(approved_at < since, false) AND came_to_number))::integer AS failed
      FROM touched,
        LATERAL (
          SELECT
            number_range, number_sent_at IS NOT NULL AS is_late, coalesce(number_sent_at, created_at) AS sent_at,
            second_recipient_index IS NOT NULL OR recipient_index IS NULL AS may_have_two
          FROM verification
          WHERE workspace_id = touched.workspace_id AND id = touched.verification_id
          OFFSET 0
        ) AS subject,
        LATERAL (
          SELECT
            coalesce(bool_and(coalesce(failed_at < since, false)) FILTER (WHERE NOT is_new), false) AS had_failed,
            coalesce(bool_and(failed_at IS NOT NULL), false) AS has_failed
          FROM ${messagesOf(
            `
              CASE WHEN status <> 'sent' THEN (SELECT min(position) FROM ${failures}) END AS failed_at,
              EXISTS (SELECT FROM late WHERE late.workspace_id = message.workspace_id AND late.message_id = message.id) AS is_new`,
            "may_differ",
          )} AND lane <> 'email'
          ) AS to_number
        ) AS messages,
        LATERAL (
          SELECT min(position) AS approved_at FROM (
            SELECT workspace_id, type, position FROM event
            WHERE (had_failed OR has_failed OR (is_approved AND may_have_two)) AND subject_id = touched.verification_id
            OFFSET 0
          ) AS approval
          WHERE workspace_id = touched.workspace_id AND type = 'verification.approved'
        ) AS approvals,
        LATERAL (
          SELECT NOT may_have_two OR coalesce(
            ${messagesOf("lane <> 'email'", "approved_at IS NOT NULL")}
              AND (status = 'sent' OR NOT EXISTS (SELECT FROM ${failures} AND position < approved_at))
            ORDER BY created_at DESC LIMIT 1
            ), false) AS came_to_number
        ) AS code
      WHERE number_range IS NOT NULL
    ), approvals AS (
      INSERT INTO guard_approval AS known (workspace_id, approved_at)
      SELECT DISTINCT workspace_id, moment FROM happened WHERE is_approval ORDER BY workspace_id
      ON CONFLICT (workspace_id) DO UPDATE SET approved_at = excluded.approved_at
        WHERE known.approved_at < excluded.approved_at - interval '1 hour'
    ), counted AS (
      INSERT INTO guard_count AS counted (workspace_id, number_range, at, started, failed, approved)
      SELECT
        workspace_id, counted_range, at,
        count(*) FILTER (WHERE is_start), sum(failed), count(*) FILTER (WHERE is_approval)
      FROM happened, LATERAL (
        SELECT DISTINCT unnest(ARRAY[number_range, guard_country_range(number_range), ${allNumbers}]) AS counted_range
      ) AS levels
      WHERE is_start OR is_approval OR failed <> 0
      GROUP BY workspace_id, counted_range, at
      ORDER BY workspace_id, counted_range, at
      ON CONFLICT (workspace_id, number_range, at) DO UPDATE SET
        started = counted.started + excluded.started, failed = counted.failed + excluded.failed,
        approved = counted.approved + excluded.approved
      RETURNING workspace_id, number_range, xmax = 0 AS is_new
    )
    SELECT array_agg(workspace_id), array_agg(number_range) INTO workspaces, ranges
    FROM (SELECT DISTINCT workspace_id, number_range FROM counted WHERE is_new) AS due;
    IF workspaces IS NOT NULL THEN
      PERFORM guard_judge_ranges(workspaces, ranges, moment);
      PERFORM guard_judge_workspaces(workspaces, ranges, moment);
    END IF;
    RETURN NULL;
  END $$`;
