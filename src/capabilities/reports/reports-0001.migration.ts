import { Migration } from "@mikro-orm/migrations";
import { durationBoundsMs } from "./reports.policy.ts";

export class Reports0001 extends Migration {
  override up(): void {
    this.addSql(verificationHour);
    this.addSql(requestHour);
    this.addSql(countVerifications);
    this.addSql(followEvents);
  }
}

/** Rows of the current hour are updated again and again, on their page: no index but that of the key has a column that changes. */
const verificationHour = `
  CREATE TABLE verification_hour (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    hour timestamptz NOT NULL,
    channel text NOT NULL,
    started integer NOT NULL,
    delivered integer NOT NULL,
    approved integer NOT NULL,
    expired integer NOT NULL,
    locked integer NOT NULL,
    canceled integer NOT NULL,
    channel_unavailable integer NOT NULL,
    failed_messages integer NOT NULL,
    time_to_delivery integer[] NOT NULL,
    time_to_approval integer[] NOT NULL,
    PRIMARY KEY (workspace_id, mode, hour, channel)
  ) WITH (fillfactor = 60);
  CREATE INDEX verification_hour_oldest_first ON verification_hour (hour)`;

const requestHour = `
  CREATE TABLE request_hour (
    workspace_id text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'test')),
    hour timestamptz NOT NULL,
    code text NOT NULL,
    requests bigint NOT NULL,
    PRIMARY KEY (workspace_id, mode, hour, code)
  ) WITH (fillfactor = 60);
  CREATE INDEX request_hour_oldest_first ON request_hour (hour)`;

const ranges = [...durationBoundsMs, Number.POSITIVE_INFINITY].map((_, range) => range);

/** An array of how many rows that match are in each range. */
const countRanges = (isCounted: string) =>
  `ARRAY[${ranges.map((range) => `count(*) FILTER (WHERE ${isCounted} AND range = ${range})`).join(", ")}]`;

const counts: Readonly<Record<string, string>> = {
  started: "type = 'verification.started'",
  delivered: "is_first_delivery",
  approved: "type = 'verification.approved'",
  expired: "type = 'verification.expired'",
  locked: "type = 'verification.locked'",
  canceled: "type = 'verification.canceled'",
  channel_unavailable: "type = 'verification.started' AND status = 'channel_unavailable'",
  failed_messages: "type = 'verification.delivery_failed'",
};

const durations: Readonly<Record<string, string>> = {
  time_to_delivery: "is_first_delivery",
  time_to_approval: "type = 'verification.approved'",
};

const columns = [...Object.keys(counts), ...Object.keys(durations)];

const addRanges = (column: string) =>
  `ARRAY[${ranges.map((range) => `counted.${column}[${range + 1}] + excluded.${column}[${range + 1}]`).join(", ")}]`;

/**
 * Counts events of verifications when they get their position: in the same transaction, one of which runs at a time, so that each
 * event is counted once and no two transactions wait for a row. A verification is counted in the hour of its start, with all that
 * becomes of it. Ordered, as every statement that locks several rows.
 *
 * An error would leave the events of everybody without positions: one whose snapshot does not say what is counted is left out.
 *
 * Whether a message was the first one that arrived is looked up among the events of the verification, which are few: without
 * `OFFSET 0` an index of all events of the workspace would do, too.
 */
const countVerifications = `
  CREATE FUNCTION report_count_verifications() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    INSERT INTO verification_hour AS counted (workspace_id, mode, hour, channel, ${columns.join(", ")})
    SELECT
      workspace_id, mode, hour, channel,
      ${Object.values(counts)
        .map((condition) => `count(*) FILTER (WHERE ${condition})`)
        .join(",\n      ")},
      ${Object.values(durations).map(countRanges).join(",\n      ")}
    FROM (
      SELECT
        workspace_id, mode, type, channel, status, date_trunc('hour', started_at, 'UTC') AS hour,
        width_bucket(
          extract(epoch FROM at - started_at)::float8 * 1000, '{${durationBoundsMs.join(",")}}'::float8[]
        ) AS range,
        type = 'verification.delivered' AND NOT EXISTS (
          SELECT FROM (
            SELECT type, position FROM event AS other WHERE other.subject_id = numbered.subject_id OFFSET 0
          ) AS same
          WHERE same.type = 'verification.delivered' AND same.position < numbered.position
        ) AS is_first_delivery
      FROM numbered, LATERAL (
        SELECT
          snapshot ->> 'channel' AS channel, snapshot ->> 'status' AS status, (snapshot ->> 'at')::timestamptz AS at,
          (snapshot ->> 'createdAt')::timestamptz AS started_at
        OFFSET 0
      ) AS shown
      WHERE starts_with(numbered.type, 'verification.')
      OFFSET 0
    ) AS happened
    WHERE hour IS NOT NULL AND channel IS NOT NULL
    GROUP BY workspace_id, mode, hour, channel
    ORDER BY workspace_id, mode, hour, channel
    ON CONFLICT (workspace_id, mode, hour, channel) DO UPDATE SET
      ${Object.keys(counts)
        .map((column) => `${column} = counted.${column} + excluded.${column}`)
        .join(", ")},
      ${Object.keys(durations)
        .map((column) => `${column} = ${addRanges(column)}`)
        .join(", ")};
    RETURN NULL;
  END $$`;

/** In the transaction that gives events their position (decision 40). */
const followEvents = `
  CREATE TRIGGER report_verifications AFTER INSERT ON event REFERENCING NEW TABLE AS numbered
    FOR EACH STATEMENT EXECUTE FUNCTION report_count_verifications()`;
