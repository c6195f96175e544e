import { Migration } from "@mikro-orm/migrations";
import {
  approvalDays,
  blockMinutes,
  bucketSeconds,
  conversionFloor,
  lagSeconds,
  minStarts,
  minStartsOnProbation,
  otherApprovalsSeconds,
  windowSeconds,
} from "./traffic.policy.ts";

/** Starts and approvals by range of numbers, and the blocks that follow from them (decision 70). */
export class Guard0002 extends Migration {
  override up(): void {
    this.addSql(count);
    this.addSql(approval);
    this.addSql(countryRange);
    this.addSql(countTraffic);
    this.addSql(judgeRanges);
    this.addSql(judgeWorkspaces);
    this.addSql(followEvents);
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

const floor = conversionFloor / 100;

/** The range of all numbers. */
const allNumbers = "'+x'";

/** Whether the message that an event is about was one to a number. */
const isToNumber = (event: string) => `EXISTS (
            SELECT FROM outbox
            WHERE workspace_id = ${event}.workspace_id AND id = ${event}.snapshot ->> 'message' AND lane <> 'email'
          )`;

/** The part of `moment` that is old enough to be judged ends here: a bucket counts when its last second does. */
const judgedUntil = (lag: string) => `moment - (${lag} + ${bucketSeconds}) * interval '1 second'`;

/**
 * Counts starts, failed messages and approvals when their events get a position: in the same transaction, one of which runs at a time, so that
 * each event is counted once and no two transactions wait for a row (decision 53). A verification counts at the time of its first message to the number,
 * for its range, for the country and for all numbers.
 *
 * Messages to a mail address do not count: neither one that failed, nor the approval of a code that came with one. The code is the same in all messages; it
 * is taken to have come with the last one.
 *
 * A verification has failed if a message to the number did, and it was not approved: a code that was entered has arrived, even if the server that sent it was
 * killed before it knew, so that the message counts as one that was not sent before the verification ended.
 *
 * Only what begins a new bucket is judged: what is old enough to be judged changes with time, and approvals that come later only make it better.
 *
 * An error would leave the events of everybody without positions. A verification without a range, such as one that was erased, is left out.
 */
const countTraffic = `
  CREATE FUNCTION guard_count_traffic() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  DECLARE
    moment timestamptz := byond_now();
    workspaces text[];
    ranges text[];
  BEGIN
    WITH late AS (
      DELETE FROM late_number_send RETURNING workspace_id, verification_id
    ), happened AS MATERIALIZED (
      SELECT
        numbered.workspace_id, subject.number_range, date_bin('${bucketSeconds} seconds', subject.sent_at, 'epoch') AS at,
        numbered.type = 'verification.started' AND NOT subject.is_late AS is_start,
        numbered.type = 'verification.approved' AND came_to_number AS is_approval,
        CASE
          WHEN numbered.type = 'verification.approved' AND came_to_number AND earlier.has_failed THEN -1
          WHEN numbered.type = 'verification.delivery_failed' AND ${isToNumber("numbered")}
            AND NOT earlier.has_failed AND NOT (earlier.was_approved AND came_to_number) THEN 1
          ELSE 0
        END AS failed
      FROM numbered,
        LATERAL (
          SELECT
            number_range, number_sent_at IS NOT NULL AS is_late, coalesce(number_sent_at, created_at) AS sent_at,
            second_recipient_index IS NOT NULL AS has_two
          FROM verification
          WHERE workspace_id = numbered.workspace_id AND id = numbered.subject_id
          OFFSET 0
        ) AS subject,
        LATERAL (
          SELECT NOT subject.has_two OR (
            SELECT lane <> 'email' FROM (
              SELECT workspace_id, kind, lane, created_at FROM outbox WHERE subject_id = numbered.subject_id OFFSET 0
            ) AS message
            WHERE workspace_id = numbered.workspace_id AND kind <> 'verification_fallback'
            ORDER BY created_at DESC LIMIT 1
          ) AS came_to_number
        ) AS code,
        LATERAL (
          SELECT
            coalesce(bool_or(type = 'verification.approved'), false) AS was_approved,
            coalesce(bool_or(type = 'verification.delivery_failed' AND ${isToNumber("same")}), false) AS has_failed
          FROM (
            SELECT type, position, workspace_id, snapshot FROM event AS other
            WHERE numbered.type <> 'verification.started' AND other.subject_id = numbered.subject_id
            OFFSET 0
          ) AS same
          WHERE same.position < numbered.position
        ) AS earlier
      WHERE numbered.mode = 'live' AND subject.number_range IS NOT NULL
        AND numbered.type IN ('verification.started', 'verification.delivery_failed', 'verification.approved')
      UNION ALL
      SELECT workspace_id, number_range, date_bin('${bucketSeconds} seconds', number_sent_at, 'epoch'), true, false, 0
      FROM late, LATERAL (
        SELECT number_range, number_sent_at FROM verification
        WHERE workspace_id = late.workspace_id AND id = late.verification_id
        OFFSET 0
      ) AS subject
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

/** The sums of a range over windows that end at `ends_at` and begin at `begins_at` at the earliest, without messages that failed. */
const sums = (range: string) => `
  SELECT
    coalesce(sum(started - failed), 0) AS long_started, coalesce(sum(approved), 0) AS long_approved,
    coalesce(sum(started - failed) FILTER (WHERE is_short), 0) AS short_started,
    coalesce(sum(approved) FILTER (WHERE is_short), 0) AS short_approved,
    coalesce(sum(approved) FILTER (WHERE is_recent), 0) AS recent_approved
  FROM (
    SELECT
      started, failed, approved, at > moment - interval '${windowSeconds.short} seconds' AS is_short,
      at > terms.ends_at - interval '${otherApprovalsSeconds} seconds' AS is_recent
    FROM guard_count
    WHERE workspace_id = due.workspace_id AND number_range = ${range} AND at >= terms.begins_at AND at <= terms.ends_at
    OFFSET 0
  ) AS counted`;

/** Whether a window is under the floor by more than chance: by a standard deviation of the approvals that the floor would give. */
const isUnderFloor = (window: "short" | "long") => `(
  ${window}_started >= least_started
  AND ${window}_approved < ${floor} * ${window}_started - sqrt(${floor * (1 - floor)} * ${window}_started)
)`;

/** Whether a workspace checks its codes, and its guard is not switched off. */
const isJudged = (workspace: string) => `(
  EXISTS (SELECT FROM guard_approval WHERE workspace_id = ${workspace} AND approved_at > moment - interval '${approvalDays} days')
  AND NOT EXISTS (SELECT FROM guard_setting AS known WHERE known.workspace_id = ${workspace} AND known.mode = 'off')
)`;

/**
 * Blocks the ranges and countries that are under the floor and not blocked. After a block the windows begin anew, and a few starts are enough to block
 * the range again, for longer. A range that is well again begins with the shortest block.
 *
 * If nobody else of the workspace was approved lately, messages may be getting lost, and the short window does not count.
 */
const judgeRanges = `
  CREATE FUNCTION guard_judge_ranges(workspaces text[], ranges text[], moment timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    WITH judged AS MATERIALIZED (
      SELECT
        due.workspace_id, due.number_range, terms.level, terms.usual_least, windows.*,
        ${isUnderFloor("long")} OR (${isUnderFloor("short")} AND (
          SELECT coalesce(sum(approved), 0) > recent_approved FROM (
            SELECT approved FROM guard_count
            WHERE workspace_id = due.workspace_id AND number_range = ${allNumbers} AND at <= terms.ends_at
              AND at > terms.ends_at - interval '${otherApprovalsSeconds} seconds'
            OFFSET 0
          ) AS of_all
        )) AS is_under_floor
      FROM unnest(workspaces, ranges) AS due (workspace_id, number_range)
        LEFT JOIN LATERAL (
          SELECT level, ends_at FROM guard_block
          WHERE workspace_id = due.workspace_id AND number_range = due.number_range
          OFFSET 0
        ) AS block ON true,
        LATERAL (
          SELECT due.number_range = guard_country_range(due.number_range) AS is_country, coalesce(block.level, 0) > 0 AS is_on_probation
        ) AS kind,
        LATERAL (
          SELECT
            coalesce(block.level, 0) AS level,
            CASE WHEN is_country THEN ${minStarts.country} ELSE ${minStarts.range} END AS usual_least,
            CASE
              WHEN NOT is_on_probation THEN CASE WHEN is_country THEN ${minStarts.country} ELSE ${minStarts.range} END
              WHEN is_country THEN ${minStartsOnProbation.country}
              ELSE ${minStartsOnProbation.range}
            END AS least_started,
            greatest(block.ends_at, moment - interval '${windowSeconds.long} seconds') AS begins_at,
            CASE WHEN is_on_probation THEN ${judgedUntil(`${lagSeconds.onProbation}`)} ELSE ${judgedUntil(`${lagSeconds.usual}`)} END AS ends_at
        ) AS terms,
        LATERAL (${sums("due.number_range")}) AS windows
      WHERE due.number_range <> ${allNumbers} AND (block.ends_at IS NULL OR block.ends_at <= moment)
      OFFSET 0
    ), well AS (
      UPDATE guard_block AS block SET level = 0 FROM judged
      WHERE block.workspace_id = judged.workspace_id AND block.number_range = judged.number_range
        AND judged.level > 0 AND judged.short_started >= judged.usual_least AND NOT judged.is_under_floor
    ), blocked AS (
      INSERT INTO guard_block AS block (workspace_id, number_range, id, level, started, approved, starts_at, ends_at)
      SELECT
        workspace_id, number_range, 'gbl_' || id_time(moment) || id_random(), level + 1, long_started, long_approved,
        date_trunc('milliseconds', moment),
        date_trunc('milliseconds', moment)
          + least(${blockMinutes.first} * ${blockMinutes.factor} ^ least(level, 10), ${blockMinutes.most}) * interval '1 minute'
      FROM judged WHERE is_under_floor AND ${isJudged("judged.workspace_id")}
      ORDER BY workspace_id, number_range
      ON CONFLICT (workspace_id, number_range) DO UPDATE SET
        id = excluded.id, level = excluded.level, started = excluded.started, approved = excluded.approved,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at
      RETURNING *
    )
    INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
    SELECT
      workspace_id, 'live', 'guard_block.started', id, moment,
      jsonb_build_object(
        'numberRange', number_range, 'started', started, 'approved', approved,
        'startsAt', (extract(epoch FROM starts_at) * 1000)::bigint, 'endsAt', (extract(epoch FROM ends_at) * 1000)::bigint,
        'mode', (SELECT mode FROM guard_setting WHERE guard_setting.workspace_id = blocked.workspace_id)
      )
    FROM blocked;
  END $$`;

/**
 * Workspaces whose traffic as a whole is under the floor share a bucket for each recipient, as those that are not verified do: the settings that
 * servers keep in memory say so, and get a new version.
 */
const judgeWorkspaces = `
  CREATE FUNCTION guard_judge_workspaces(workspaces text[], ranges text[], moment timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO guard_setting AS setting (workspace_id, version, shares_recipient_limit)
    SELECT workspace_id, 1, is_under_floor FROM (
      SELECT due.workspace_id, ${isUnderFloor("long")} AND ${isJudged("due.workspace_id")} AS is_under_floor
      FROM unnest(workspaces, ranges) AS due (workspace_id, number_range),
        LATERAL (
          SELECT ${minStarts.workspace} AS least_started, moment - interval '${windowSeconds.long} seconds' AS begins_at,
            ${judgedUntil(`${lagSeconds.usual}`)} AS ends_at
        ) AS terms,
        LATERAL (${sums(allNumbers)}) AS windows
      WHERE due.number_range = ${allNumbers}
      OFFSET 0
    ) AS judged
    WHERE is_under_floor IS DISTINCT FROM coalesce(
      (SELECT shares_recipient_limit FROM guard_setting AS known WHERE known.workspace_id = judged.workspace_id), false
    )
    ORDER BY workspace_id
    ON CONFLICT (workspace_id) DO UPDATE SET
      version = setting.version + 1, shares_recipient_limit = excluded.shares_recipient_limit;
  END $$`;

/** In the transaction that gives events their position (decision 40). */
const followEvents = `
  CREATE TRIGGER guard_traffic AFTER INSERT ON event REFERENCING NEW TABLE AS numbered
    FOR EACH STATEMENT EXECUTE FUNCTION guard_count_traffic()`;
