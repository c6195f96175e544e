import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import type { Queryable } from "../../database/database.ts";
import { integer, statement, text, timestamptz } from "../../database/statement.ts";
import { requestsOfLastMinute } from "../../quota/requests-of-last-minute.ts";
import { boundsOf, type Period } from "../../rpc/report-period.ts";
import { type DurationSummary, summarizeDurations } from "./durations.ts";
import { durationBoundsMs } from "./reports.policy.ts";
import { answeredWell } from "./request-counter.ts";

export interface OverviewDependencies {
  readonly database: Queryable;
  readonly clock: Pick<Clock, "now">;
}

export interface OverviewInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly period: Period;
  /** Of the workspace. Null: it has no limit. */
  readonly requestsPerMinute: number | null;
}

/** Numbers of verifications; `failedMessages`: of messages. */
export interface VerificationCounts {
  readonly started: number;
  readonly delivered: number;
  readonly approved: number;
  readonly expired: number;
  readonly locked: number;
  readonly canceled: number;
  readonly channelUnavailable: number;
  readonly failedMessages: number;
}

/** The approved part of those whose channel had a provider, in whole percent. Undefined if there are none. */
export function conversionPercent({
  started,
  channelUnavailable,
  approved,
}: Pick<VerificationCounts, "started" | "channelUnavailable" | "approved">): number | undefined {
  const sendable = started - channelUnavailable;
  return sendable <= 0 ? undefined : Math.round((100 * approved) / sendable);
}

/** Verifications, and how long they took. */
export interface VerificationReport {
  readonly verifications: VerificationCounts;
  readonly timeToDelivery: DurationSummary;
  readonly timeToApproval: DurationSummary;
}

export interface OverviewBucket {
  readonly start: Date;
  readonly verifications: VerificationCounts;
  readonly channels: ReadonlyMap<string, VerificationCounts>;
  readonly requests: number;
  readonly failedRequests: number;
}

export interface Overview extends VerificationReport {
  readonly periodStart: Date;
  readonly periodEnd: Date;
  /** By the channel's name. */
  readonly channels: ReadonlyMap<string, VerificationReport>;
  /** Oldest first. */
  readonly buckets: readonly OverviewBucket[];
  readonly requests: {
    readonly total: number;
    readonly failed: number;
    readonly errors: readonly { readonly code: string; readonly requests: number }[];
  };
  readonly requestLimit: { readonly requestsPerMinute: number; readonly used: number } | undefined;
}

const ofPeriod = { workspaceId: text, mode: text, from: timestamptz, until: timestamptz, bucketSeconds: integer };

/** The number of the bucket that an hour belongs to. */
const bucketOf = (p: { readonly from: string; readonly bucketSeconds: string }) =>
  `floor(extract(epoch FROM hour - ${p.from}) / ${p.bucketSeconds})::integer`;

interface VerificationRow extends VerificationCounts {
  readonly bucket: number;
  readonly channel: string;
  readonly timeToDelivery: readonly number[];
  readonly timeToApproval: readonly number[];
}

const sumRanges = (column: string) =>
  `ARRAY[${[...durationBoundsMs.keys(), durationBoundsMs.length].map((range) => `sum(${column}[${range + 1}])`).join(", ")}]::float8[]`;

const readVerifications = statement<VerificationRow>("read_verification_hours")(
  ofPeriod,
  (p) => `
    SELECT
      ${bucketOf(p)} AS bucket, channel,
      sum(started)::float8 AS started, sum(delivered)::float8 AS delivered, sum(approved)::float8 AS approved,
      sum(expired)::float8 AS expired, sum(locked)::float8 AS locked, sum(canceled)::float8 AS canceled,
      sum(channel_unavailable)::float8 AS channel_unavailable, sum(failed_messages)::float8 AS failed_messages,
      ${sumRanges("time_to_delivery")} AS time_to_delivery, ${sumRanges("time_to_approval")} AS time_to_approval
    FROM verification_hour
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND hour >= ${p.from} AND hour < ${p.until}
    GROUP BY 1, 2`,
);

interface RequestRow {
  readonly bucket: number;
  readonly code: string;
  readonly requests: number;
}

const readRequests = statement<RequestRow>("read_request_hours")(
  ofPeriod,
  (p) => `
    SELECT ${bucketOf(p)} AS bucket, code, sum(requests)::float8 AS requests
    FROM request_hour
    WHERE workspace_id = ${p.workspaceId} AND mode = ${p.mode} AND hour >= ${p.from} AND hour < ${p.until}
    GROUP BY 1, 2`,
);

/** What became of the verifications and requests of a workspace and mode, up to now. It reads sums, and no verification. */
export async function getOverview(
  { database, clock }: OverviewDependencies,
  { workspaceId, mode, period, requestsPerMinute }: OverviewInput,
): Promise<Overview> {
  const { bucketMs, buckets } = period;
  const bounds = boundsOf(period, clock.now());
  const asked = { workspaceId, mode, ...bounds, bucketSeconds: bucketMs / 1_000 };
  const [verifications, requests, used] = await Promise.all([
    database.run(readVerifications, asked),
    database.run(readRequests, asked),
    requestsPerMinute === null ? undefined : requestsOfLastMinute({ database }, { workspaceId, key: "workspace" }),
  ]);
  return {
    periodStart: bounds.from,
    periodEnd: bounds.until,
    ...reportOf(verifications),
    channels: byChannel(verifications, reportOf),
    buckets: Array.from({ length: buckets }, (_, index) => {
      const ofBucket = verifications.filter(({ bucket }) => bucket === index);
      const answered = requests.filter(({ bucket }) => bucket === index);
      return {
        start: new Date(bounds.from.getTime() + index * bucketMs),
        verifications: sumCounts(ofBucket),
        channels: byChannel(ofBucket, sumCounts),
        requests: sumRequests(answered),
        failedRequests: sumRequests(answered.filter(isError)),
      };
    }),
    requests: {
      total: sumRequests(requests),
      failed: sumRequests(requests.filter(isError)),
      errors: errorsOf(requests),
    },
    requestLimit: requestsPerMinute === null || used === undefined ? undefined : { requestsPerMinute, used },
  };
}

function reportOf(rows: readonly VerificationRow[]): VerificationReport {
  return {
    verifications: sumCounts(rows),
    timeToDelivery: summarizeDurations(rows.map(({ timeToDelivery }) => timeToDelivery)),
    timeToApproval: summarizeDurations(rows.map(({ timeToApproval }) => timeToApproval)),
  };
}

function sumCounts(rows: readonly VerificationRow[]): VerificationCounts {
  const sum = (count: keyof VerificationCounts) => rows.reduce((total, row) => total + row[count], 0);
  return {
    started: sum("started"),
    delivered: sum("delivered"),
    approved: sum("approved"),
    expired: sum("expired"),
    locked: sum("locked"),
    canceled: sum("canceled"),
    channelUnavailable: sum("channelUnavailable"),
    failedMessages: sum("failedMessages"),
  };
}

function byChannel<T>(rows: readonly VerificationRow[], of: (rows: readonly VerificationRow[]) => T): Map<string, T> {
  const channels = Map.groupBy(rows, ({ channel }) => channel);
  return new Map([...channels].map(([channel, ofChannel]) => [channel, of(ofChannel)]));
}

const isError = ({ code }: RequestRow) => code !== answeredWell;

const sumRequests = (rows: readonly RequestRow[]) => rows.reduce((total, { requests }) => total + requests, 0);

function errorsOf(rows: readonly RequestRow[]) {
  const codes = Map.groupBy(rows.filter(isError), ({ code }) => code);
  return [...codes]
    .map(([code, ofCode]) => ({ code, requests: sumRequests(ofCode) }))
    .sort((one, other) => other.requests - one.requests || (one.code < other.code ? -1 : 1));
}
