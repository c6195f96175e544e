import { Migration } from "@mikro-orm/migrations";
import { durationBoundsMs, slotMinutes } from "./reports.policy.ts";

/** Verifications by all that reports group them by, beside those by channel and hour, which the overview reads. */
export class Reports0002 extends Migration {
  override up(): void {
    this.addSql(verificationSlot);
    this.addSql(countVerifications);
    this.addSql(followEvents);
  }
}

const lengths = Object.values(slotMinutes);

const ranges = [...durationBoundsMs, Number.POSITIVE_INFINITY].map((_, range) => range);

/**
 * As in `verification_hour`, no index but that of the key has a column that changes. The other index is for the sweep alone, which names its
 * predicate: periods are read by the key.
 *
 * Most counts of most rows are 0, and stored as null, which takes no place: a report reads half as many pages.
 */
const verificationSlot = `
  CREATE TABLE verification_slot (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    minutes integer NOT NULL,
    slot timestamptz NOT NULL,
    channel text NOT NULL,
    country text NOT NULL,
    provider text NOT NULL,
    key_id text NOT NULL,
    started integer,
    sent integer,
    delivered integer,
    approved integer,
    expired integer,
    locked integer,
    canceled integer,
    channel_unavailable integer,
    failed_messages integer,
    cost bigint,
    ${ranges.map((range) => `approved_range${range} integer`).join(",\n    ")},
    PRIMARY KEY (workspace_id, mode, minutes, slot, channel, country, provider, key_id)
  ) WITH (fillfactor = 75);
  CREATE INDEX verification_slot_oldest_first ON verification_slot (slot) WHERE slot < 'infinity'`;

const happenedOnce: Readonly<Record<string, string>> = {
  delivered: "is_first_delivery",
  approved: "type = 'verification.approved'",
  expired: "type = 'verification.expired'",
  locked: "type = 'verification.locked'",
  canceled: "type = 'verification.canceled'",
  channel_unavailable: "type = 'verification.started' AND status = 'channel_unavailable'",
  failed_messages: "type = 'verification.delivery_failed'",
};

const countsOfHour: Readonly<Record<string, string>> = { started: "type = 'verification.started'", ...happenedOnce };

const durationsOfHour: Readonly<Record<string, string>> = {
  time_to_delivery: "is_first_delivery",
  time_to_approval: "type = 'verification.approved'",
};

const countsOfSlot: Readonly<Record<string, string>> = {
  started: "is_first_outcome",
  sent: "is_first_sent",
  ...happenedOnce,
  ...Object.fromEntries(
    ranges.map((range) => [`approved_range${range}`, `type = 'verification.approved' AND range = ${range}`]),
  ),
};

const columnsOfSlot = [...Object.keys(countsOfSlot), "cost"];

const countIf = (condition: string) => `count(*) FILTER (WHERE ${condition})`;

/** An array of how many rows that match are in each range. */
const countRanges = (condition: string) =>
  `ARRAY[${ranges.map((range) => countIf(`${condition} AND range = ${range}`)).join(", ")}]`;

const addCounts = (columns: Readonly<Record<string, string>>) =>
  Object.keys(columns).map((column) => `${column} = counted.${column} + excluded.${column}`);

const addToSlot = (column: string) =>
  `${column} = coalesce(counted.${column} + excluded.${column}, excluded.${column}, counted.${column})`;

const addRanges = (column: string) =>
  `${column} = ARRAY[${ranges.map((range) => `counted.${column}[${range + 1}] + excluded.${column}[${range + 1}]`).join(", ")}]`;

const list = (texts: readonly string[]) => texts.join(",\n        ");

/**
 * Counts events of verifications when they get their position: in the same transaction, one of which runs at a time, so that each
 * event is counted once and no two transactions wait for a row. A verification is counted in the time of its start, with all that
 * becomes of it. Ordered, as every statement that locks several rows.
 *
 * By provider it can be counted once it has one: a slot counts a verification with its first outcome, that of a message or its end, and all that
 * becomes of it with the provider of that outcome, so that no row is ever moved.
 *
 * What a message cost counts with the next event of its verification, at its end at the latest: events tell what all messages up to then cost, of which what an
 * earlier event told is counted. A price that comes back is subtracted with the event of its message, or later: see
 * `reports-0003.migration.ts`.
 *
 * An error would leave the events of everybody without positions: one whose snapshot does not say what is counted is left out.
 *
 * What happened before is looked up among the events of the verification, which are few: without `OFFSET 0` an index of all events of the
 * workspace would do, too.
 */
const countVerifications = `
  CREATE OR REPLACE FUNCTION report_count_verifications() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    WITH happened AS MATERIALIZED (
      SELECT
        workspace_id, mode, numbered.type, channel, status, started_at, coalesce(country, '') AS country, coalesce(key_id, '') AS key_id,
        coalesce(CASE WHEN had_outcome THEN first_provider ELSE provider END, '') AS provider,
        width_bucket(
          extract(epoch FROM at - started_at)::float8 * 1000, '{${durationBoundsMs.join(",")}}'::float8[]
        ) AS range,
        (numbered.type <> 'verification.started' OR status = 'channel_unavailable') AND NOT had_outcome AS is_first_outcome,
        was_sent AND NOT was_sent_before AS is_first_sent,
        greatest(coalesce(charged, 0) - charged_before, 0) - coalesce(refunded, 0) AS cost,
        numbered.type = 'verification.delivered' AND NOT was_delivered_before AS is_first_delivery
      FROM numbered, LATERAL (
        SELECT
          snapshot ->> 'channel' AS channel, snapshot ->> 'status' AS status, (snapshot ->> 'at')::timestamptz AS at,
          (snapshot ->> 'createdAt')::timestamptz AS started_at, snapshot ->> 'country' AS country, snapshot ->> 'keyId' AS key_id,
          snapshot ->> 'provider' AS provider, snapshot @> '{"sent": true}' AS was_sent,
          (snapshot ->> 'charged')::bigint AS charged, (snapshot ->> 'refunded')::bigint AS refunded
        OFFSET 0
      ) AS shown, LATERAL (
        SELECT
          count(*) > 0 AS had_outcome, (array_agg(snapshot ->> 'provider' ORDER BY position))[1] AS first_provider,
          coalesce(bool_or(snapshot @> '{"sent": true}'), false) AS was_sent_before,
          coalesce(max((snapshot ->> 'charged')::bigint), 0) AS charged_before,
          coalesce(bool_or(type = 'verification.delivered'), false) AS was_delivered_before
        FROM (
          SELECT type, position, snapshot FROM event AS other
          WHERE other.subject_id = numbered.subject_id AND numbered.type <> 'verification.started'
          OFFSET 0
        ) AS other
        WHERE position < numbered.position AND type <> 'verification.started' AND starts_with(type, 'verification.')
      ) AS before
      WHERE starts_with(numbered.type, 'verification.') AND started_at IS NOT NULL AND channel IS NOT NULL
    ), by_hour AS (
      INSERT INTO verification_hour AS counted (
        workspace_id, mode, hour, channel, ${[...Object.keys(countsOfHour), ...Object.keys(durationsOfHour)].join(", ")}
      )
      SELECT
        workspace_id, mode, date_trunc('hour', started_at, 'UTC') AS hour, channel,
        ${list([...Object.values(countsOfHour).map(countIf), ...Object.values(durationsOfHour).map(countRanges)])}
      FROM happened
      GROUP BY workspace_id, mode, hour, channel
      ORDER BY workspace_id, mode, hour, channel
      ON CONFLICT (workspace_id, mode, hour, channel) DO UPDATE SET
        ${list([...addCounts(countsOfHour), ...Object.keys(durationsOfHour).map(addRanges)])}
    )
    INSERT INTO verification_slot AS counted (
      workspace_id, mode, minutes, slot, channel, country, provider, key_id, ${columnsOfSlot.join(", ")}
    )
    SELECT
      workspace_id, mode, minutes, date_bin(minutes * interval '1 minute', started_at, 'epoch') AS slot, channel, country, provider, key_id,
      ${list([
        ...Object.values(countsOfSlot).map((condition) => `nullif(${countIf(condition)}, 0)`),
        "nullif(sum(cost), 0)",
      ])}
    FROM happened, unnest(ARRAY[${lengths.join(", ")}]) AS minutes
    WHERE type <> 'verification.started' OR is_first_outcome
    GROUP BY workspace_id, mode, minutes, slot, channel, country, provider, key_id
    ORDER BY workspace_id, mode, minutes, slot, channel, country, provider, key_id
    ON CONFLICT (workspace_id, mode, minutes, slot, channel, country, provider, key_id) DO UPDATE SET
      ${list(columnsOfSlot.map(addToSlot))};
    RETURN NULL;
  END $$`;

/** In the transaction that gives events their position (decision 40). */
const followEvents = `
  CREATE OR REPLACE TRIGGER report_verifications AFTER INSERT ON event REFERENCING NEW TABLE AS numbered
    FOR EACH STATEMENT EXECUTE FUNCTION report_count_verifications()`;
