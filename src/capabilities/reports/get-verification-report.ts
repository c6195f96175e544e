import type { Mode } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { array, integer, nullable, statementOfParts, text, timestamptz } from "../../database/statement.ts";
import { invalidFields } from "../../errors.ts";
import { summarizeDurations } from "./durations.ts";
import { daysOf, slotsOf } from "./report-days.ts";
import { durationBoundsMs, maxReportGroups } from "./reports.policy.ts";

/** What verifications can be grouped by. */
export const reportFields = ["day", "channel", "country", "provider", "keyId"] as const;
export type ReportField = (typeof reportFields)[number];

export interface VerificationReportInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  /** The first and the last day. */
  readonly from: string;
  readonly until: string;
  readonly timeZone: string;
  readonly groupBy: ReadonlySet<ReportField>;
  /** Only verifications with one of the values. Empty: all. */
  readonly channels: readonly string[];
  readonly countries: readonly string[];
  readonly providers: readonly string[];
  readonly keyIds: readonly string[];
}

/** Numbers of verifications; `failedMessages`: of messages. */
export interface ReportCounts {
  readonly started: number;
  readonly sent: number;
  readonly delivered: number;
  readonly approved: number;
  readonly expired: number;
  readonly locked: number;
  readonly canceled: number;
  readonly channelUnavailable: number;
  readonly failedMessages: number;
}

/** What a server with prices calls amounts. */
export interface Amounts {
  /** ISO 4217. */
  readonly currency: string;
  /** An amount of the smallest unit as a decimal number. */
  format(amount: bigint): string;
}

/** Fields that are not grouped by are undefined. Empty: see `VerificationSlotEntity`. */
export interface VerificationGroup extends ReportCounts, Partial<Readonly<Record<ReportField, string>>> {
  /** Undefined: nothing was approved. */
  readonly medianTimeToApprovalMs: number | undefined;
  /** Of the messages, without what came back, in the smallest unit of the prices. */
  readonly cost: bigint;
}

interface GroupRow extends ReportCounts, Partial<Readonly<Record<Exclude<ReportField, "day">, string>>> {
  /** The number of the day, from 1. 0: not grouped by days. */
  readonly day: number;
  /** Approvals by range of their time. */
  readonly approvals: readonly number[];
  readonly cost: string;
}

/** The columns of the fields, in the order of an answer. A day has none. */
const columns = { channel: "channel", country: "country", provider: "provider", keyId: "key_id" } as const;
type GroupColumn = (typeof columns)[keyof typeof columns];

const oneOf = (field: string, values: string) => `(${values} IS NULL OR ${field} = ANY (${values}))`;

/** Null, which costs a row nothing, for no condition. */
const orNull = (values: readonly string[]) => (values.length === 0 ? null : values);

const counts = ["started", "sent", "delivered", "approved", "expired", "locked", "canceled", "channel_unavailable"];
const countColumns = [...counts, "failed_messages"];
const rangeColumns = [...durationBoundsMs.keys(), durationBoundsMs.length].map((range) => `approved_range${range}`);

/**
 * A statement for each list of columns: grouping by what nobody asked for takes as long as the sums. Each period is summed by itself, in
 * little memory.
 */
const readGroups = statementOfParts<GroupRow, GroupColumn>("read_verification_slots")(
  {
    workspaceId: text,
    mode: text,
    days: array(integer),
    minutes: array(integer),
    starts: array(timestamptz),
    ends: array(timestamptz),
    channels: nullable(array(text)),
    countries: nullable(array(text)),
    providers: nullable(array(text)),
    keyIds: nullable(array(text)),
    limit: integer,
  },
  (p, groupColumns) => {
    const keys = ["day", ...groupColumns].join(", ");
    return `
      SELECT
        ${[keys, ...countColumns.map((count) => `coalesce(sum(${count}), 0)::float8 AS ${count}`)].join(", ")},
        coalesce(sum(cost), 0)::bigint AS cost,
        ARRAY[${rangeColumns.map((range) => `coalesce(sum(${range}), 0)`).join(", ")}]::float8[] AS approvals
      FROM unnest(${p.days}, ${p.minutes}, ${p.starts}, ${p.ends}) AS period (day, minutes, start_at, end_at), LATERAL (
        SELECT ${[...groupColumns, ...[...countColumns, ...rangeColumns, "cost"].map((column) => `sum(${column}) AS ${column}`)].join(", ")}
        FROM verification_slot
        WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND verification_slot.minutes = period.minutes
          AND slot >= start_at AND slot < end_at AND ${oneOf("channel", p.channels)} AND ${oneOf("country", p.countries)}
          AND ${oneOf("provider", p.providers)} AND ${oneOf("key_id", p.keyIds)}
        ${groupColumns.length === 0 ? "HAVING count(*) > 0" : `GROUP BY ${groupColumns.join(", ")}`}
      ) AS counted
      GROUP BY ${keys}
      ORDER BY ${keys}
      LIMIT ${p.limit}`;
  },
);

/**
 * What became of the verifications of some days, by group. It reads sums, and no verification. Throws `validation_error` if there are
 * more groups than an answer has.
 */
export async function getVerificationReport(
  { database }: { readonly database: Queryable },
  {
    workspaceId,
    mode,
    from,
    until,
    timeZone,
    groupBy,
    channels,
    countries,
    providers,
    keyIds,
  }: VerificationReportInput,
): Promise<readonly VerificationGroup[]> {
  const { days, end } = daysOf(from, until, timeZone);
  const periods = groupBy.has("day")
    ? days.flatMap(({ start }, index) =>
        slotsOf(start, days[index + 1]?.start ?? end).map((slots) => ({ day: index + 1, ...slots })),
      )
    : slotsOf(days[0]?.start ?? end, end).map((slots) => ({ day: 0, ...slots }));
  const groupColumns = reportFields.flatMap((field) => (field !== "day" && groupBy.has(field) ? [columns[field]] : []));
  const rows = await database.run(readGroups(groupColumns), {
    workspaceId,
    mode,
    channels: orNull(channels),
    countries: orNull(countries),
    providers: orNull(providers),
    keyIds: orNull(keyIds),
    days: periods.map(({ day }) => day),
    minutes: periods.map(({ minutes }) => minutes),
    starts: periods.map(({ start }) => start),
    ends: periods.map(({ end: periodEnd }) => periodEnd),
    limit: maxReportGroups + 1,
  });
  if (rows.length > maxReportGroups) {
    const problem = `makes more than ${maxReportGroups.toLocaleString("en")} groups of these verifications: ask for fewer days or fields`;
    throw invalidFields({ group_by: problem });
  }
  return rows.map(({ approvals, cost, day, ...row }) => ({
    ...row,
    cost: BigInt(cost),
    ...(day === 0 ? {} : { day: days[day - 1]?.date ?? "" }),
    medianTimeToApprovalMs: summarizeDurations([approvals]).p50Ms,
  }));
}
