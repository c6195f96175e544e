import type { Mode } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { array, boolean, integer, nullable, statement, text, timestamptz } from "../../database/statement.ts";
import { invalidFields } from "../../errors.ts";
import { summarizeDurations } from "./durations.ts";
import { daysOf } from "./report-days.ts";
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

/** Fields that are not grouped by are undefined. Empty: see `VerificationSlotEntity`. */
export interface VerificationGroup extends ReportCounts, Partial<Readonly<Record<ReportField, string>>> {
  /** Undefined: nothing was approved. */
  readonly medianTimeToApprovalMs: number | undefined;
}

interface GroupRow extends ReportCounts, Readonly<Record<Exclude<ReportField, "day">, string>> {
  /** The number of the day, from 1. 0: not grouped by days. */
  readonly day: number;
  /** Approvals by range of their time. */
  readonly approvals: readonly number[];
}

const fieldIf = (isAsked: string, field: string) => `CASE WHEN ${isAsked} THEN ${field} ELSE '' END AS ${field}`;

const oneOf = (field: string, values: string) => `(${values} IS NULL OR ${field} = ANY (${values}))`;

/** Null, which costs a row nothing, for no condition. */
const orNull = (values: readonly string[]) => (values.length === 0 ? null : values);

const counts = ["started", "sent", "delivered", "approved", "expired", "locked", "canceled", "channel_unavailable"];

const readGroups = statement<GroupRow>("read_verification_slots")(
  {
    workspaceId: text,
    mode: text,
    from: timestamptz,
    until: timestamptz,
    dayStarts: array(timestamptz),
    byDay: boolean,
    byChannel: boolean,
    byCountry: boolean,
    byProvider: boolean,
    byKey: boolean,
    channels: nullable(array(text)),
    countries: nullable(array(text)),
    providers: nullable(array(text)),
    keyIds: nullable(array(text)),
    limit: integer,
  },
  (p) => `
    SELECT
      CASE WHEN ${p.byDay} THEN width_bucket(slot, ${p.dayStarts}) ELSE 0 END AS day,
      ${fieldIf(p.byChannel, "channel")}, ${fieldIf(p.byCountry, "country")}, ${fieldIf(p.byProvider, "provider")},
      ${fieldIf(p.byKey, "key_id")},
      ${[...counts, "failed_messages"].map((count) => `coalesce(sum(${count}), 0)::float8 AS ${count}`).join(", ")},
      ARRAY[${[...durationBoundsMs.keys(), durationBoundsMs.length].map((range) => `coalesce(sum(approved_range${range}), 0)`).join(", ")}]::float8[]
        AS approvals
    FROM verification_slot
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND slot >= ${p.from} AND slot < ${p.until}
      AND ${oneOf("channel", p.channels)} AND ${oneOf("country", p.countries)} AND ${oneOf("provider", p.providers)}
      AND ${oneOf("key_id", p.keyIds)}
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    LIMIT ${p.limit}`,
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
  const dayStarts = days.map(({ start }) => start);
  const rows = await database.run(readGroups, {
    workspaceId,
    mode,
    channels: orNull(channels),
    countries: orNull(countries),
    providers: orNull(providers),
    keyIds: orNull(keyIds),
    from: dayStarts[0] ?? end,
    until: end,
    dayStarts,
    byDay: groupBy.has("day"),
    byChannel: groupBy.has("channel"),
    byCountry: groupBy.has("country"),
    byProvider: groupBy.has("provider"),
    byKey: groupBy.has("keyId"),
    limit: maxReportGroups + 1,
  });
  if (rows.length > maxReportGroups) {
    const problem = `makes more than ${maxReportGroups.toLocaleString("en")} groups of these verifications: ask for fewer days or fields`;
    throw invalidFields({ group_by: problem });
  }
  return rows.map(({ approvals, day, ...row }) => {
    const values = { ...row, day: days[day - 1]?.date ?? "" };
    const shown = Object.fromEntries(
      reportFields.map((field) => [field, groupBy.has(field) ? values[field] : undefined]),
    );
    return { ...row, ...shown, medianTimeToApprovalMs: summarizeDurations([approvals]).p50Ms };
  });
}
