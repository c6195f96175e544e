import { Migration } from "@mikro-orm/migrations";
import { allNumbers } from "./guard-0002.migration.ts";
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

/** Judges what `guard-0002.migration.ts` counts (decision 70). */
export class Guard0003 extends Migration {
  override up(): void {
    this.addSql(judgeRanges);
    this.addSql(judgeWorkspaces);
    this.addSql(followEvents);
  }
}

const floor = conversionFloor / 100;

/** The part of `moment` that is old enough to be judged ends here: a bucket counts when its last second does. */
const judgedUntil = (lag: string) => `moment - (${lag} + ${bucketSeconds}) * interval '1 second'`;

/** The sums of a range over windows that end at `ends_at` and begin at `begins_at` at the earliest, without messages that failed. */
const sums = (range: string) => `
  SELECT
    coalesce(sum(started), 0) AS long_started, coalesce(sum(approved), 0) AS long_approved,
    coalesce(sum(started) FILTER (WHERE is_short), 0) AS short_started,
    coalesce(sum(approved) FILTER (WHERE is_short), 0) AS short_approved,
    coalesce(sum(approved) FILTER (WHERE is_recent), 0) AS recent_approved
  FROM (
    SELECT
      started - failed AS started, approved, at > moment - interval '${windowSeconds.short} seconds' AS is_short,
      at > terms.ends_at - interval '${otherApprovalsSeconds} seconds' AS is_recent
    FROM guard_count
    WHERE workspace_id = due.workspace_id AND number_range = ${range} AND at >= terms.begins_at AND at <= terms.ends_at
    OFFSET 0
  ) AS counted`;

type Window = "short" | "long";

/** Whether less is approved than the floor and chance explain: chance is a standard deviation of the approvals that the floor would give. */
const isLow = (window: Window) =>
  `${window}_approved < ${floor} * ${window}_started - sqrt(${floor * (1 - floor)} * ${window}_started)`;

/** Whether a window is under the floor, and has enough to say so. */
const isUnderFloor = (window: Window) => `(${window}_started >= least_started AND ${isLow(window)})`;

/** What of a window of a range does not count for its country. */
const notOfCountry = (window: Window, column: "started" | "approved") => `
    coalesce(sum(all_${window}_${column} - ${window}_${column} * CASE
      WHEN ${window}_started > ${minStarts.range} AND ${isLow(window)} THEN ${minStarts.range}::numeric / ${window}_started ELSE 1
    END), 0) AS ${window}_${column}`;

/**
 * What the sums of a country are without. A range that is under the floor by itself counts as the least starts that say so, whether it is blocked
 * or not: so no single range closes a country, and whoever moves on from range to range closes it with the third one. What was seen of a
 * range before a block of it ended by hand, or before it was well again, does not count. In any order of letters, the ranges of a country are
 * between its digits and its own range: `x` comes after digits.
 */
const lessOfCountry = `
  SELECT ${(["long", "short"] as const).flatMap((window) => [notOfCountry(window, "started"), notOfCountry(window, "approved")]).join()}
  FROM (
    SELECT
      sum(started) AS all_long_started, sum(approved) AS all_long_approved,
      coalesce(sum(started) FILTER (WHERE is_short), 0) AS all_short_started,
      coalesce(sum(approved) FILTER (WHERE is_short), 0) AS all_short_approved,
      coalesce(sum(started) FILTER (WHERE counts), 0) AS long_started,
      coalesce(sum(approved) FILTER (WHERE counts), 0) AS long_approved,
      coalesce(sum(started) FILTER (WHERE counts AND is_short), 0) AS short_started,
      coalesce(sum(approved) FILTER (WHERE counts AND is_short), 0) AS short_approved
    FROM (
      SELECT
        part.number_range, part.started, part.approved, part.at > moment - interval '${windowSeconds.short} seconds' AS is_short,
        done.ends_at IS NULL OR part.at >= done.ends_at AS counts
      FROM (
        SELECT number_range, started - failed AS started, approved, at FROM guard_count
        WHERE workspace_id = due.workspace_id AND number_range > rtrim(due.number_range, 'x') AND number_range < due.number_range
          AND at >= terms.begins_at AND at <= terms.ends_at
        OFFSET 0
      ) AS part LEFT JOIN (
        SELECT number_range, ends_at FROM guard_block
        WHERE workspace_id = due.workspace_id AND level = 0 AND ends_at <= moment
        OFFSET 0
      ) AS done ON done.number_range = part.number_range
    ) AS part
    GROUP BY number_range
  ) AS part`;

/** Whether a workspace checks its codes, and its guard is not switched off. */
const isJudged = (workspace: string) => `(
  EXISTS (SELECT FROM guard_approval WHERE workspace_id = ${workspace} AND approved_at > moment - interval '${approvalDays} days')
  AND NOT EXISTS (SELECT FROM guard_setting AS known WHERE known.workspace_id = ${workspace} AND known.mode = 'off')
)`;

/**
 * Blocks the ranges, or the countries, that are under the floor and not blocked. After a block the windows begin anew, and a few starts are enough to
 * block the range again, for longer. A range that is well again begins with the shortest block.
 *
 * If nobody else of the workspace was approved lately, messages may be getting lost, and the short window does not count.
 */
const judgeRanges = `
  CREATE FUNCTION guard_judge_ranges(workspaces text[], ranges text[], moment timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    WITH judged AS MATERIALIZED (
      SELECT
        due.workspace_id, due.number_range, terms.level, terms.usual_least, windows.short_started,
        counted.long_started AS started, counted.long_approved AS approved,
        windows.is_low_long OR (windows.is_low_short AND (
          SELECT coalesce(sum(approved), 0) > counted.recent_approved FROM (
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
        LATERAL (${sums("due.number_range")}) AS counted,
        LATERAL (
          SELECT short_started, ${isUnderFloor("long")} AS is_low_long, ${isUnderFloor("short")} AS is_low_short FROM (
            SELECT
              counted.long_started - coalesce(less.long_started, 0) AS long_started,
              counted.long_approved - coalesce(less.long_approved, 0) AS long_approved,
              counted.short_started - coalesce(less.short_started, 0) AS short_started,
              counted.short_approved - coalesce(less.short_approved, 0) AS short_approved
            FROM (SELECT kind.is_country AND (${isUnderFloor("long")} OR ${isUnderFloor("short")}) AS may_be_low) AS country
              LEFT JOIN LATERAL (${lessOfCountry}) AS less ON may_be_low
          ) AS judged
        ) AS windows
      WHERE due.number_range <> ${allNumbers} AND (block.ends_at IS NULL OR block.ends_at <= moment)
      OFFSET 0
    ), well AS (
      UPDATE guard_block AS block SET level = 0 FROM judged
      WHERE block.workspace_id = judged.workspace_id AND block.number_range = judged.number_range
        AND judged.level > 0 AND judged.short_started >= judged.usual_least AND NOT judged.is_under_floor
    ), blocked AS (
      INSERT INTO guard_block AS block (workspace_id, number_range, id, level, started, approved, starts_at, ends_at)
      SELECT
        workspace_id, number_range, 'gbl_' || id_time(moment) || id_random(), level + 1, started, approved,
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
