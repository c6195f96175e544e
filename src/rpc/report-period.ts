import { ReportPeriod } from "../../gen/byond/v1/report_pb.ts";

/** The period of a report: as many buckets of the same length, the last of which is the current one. */
export interface Period {
  /** An hour or a day: buckets begin with those of UTC. */
  readonly bucketMs: number;
  readonly buckets: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const periods = {
  day: { bucketMs: hourMs, buckets: 24 },
  week: { bucketMs: dayMs, buckets: 7 },
  month: { bucketMs: dayMs, buckets: 30 },
} as const satisfies Record<string, Period>;

const periodsByEnum = new Map<ReportPeriod, Period>([
  [ReportPeriod.DAY, periods.day],
  [ReportPeriod.WEEK, periods.week],
  [ReportPeriod.MONTH, periods.month],
]);

/** The period that a request asks for. */
export function periodOf(asked: ReportPeriod = ReportPeriod.DAY): Period {
  const period = periodsByEnum.get(asked);
  if (period === undefined) {
    throw new TypeError(`the period ${asked} passed validation`);
  }
  return period;
}

/** When a period begins, and when its current bucket ends. */
export function boundsOf({ bucketMs, buckets }: Period, now: Date): { readonly from: Date; readonly until: Date } {
  // Hours and days of UTC begin with multiples of their length since 1970.
  const untilMs = (Math.floor(now.getTime() / bucketMs) + 1) * bucketMs;
  return { from: new Date(untilMs - buckets * bucketMs), until: new Date(untilMs) };
}

/** The counts of reports are of type int32, because JSON writes an int64 as text. A count beyond it is cut, so that the report can still be read. */
export const int32 = (count: number) => Math.min(count, 2 ** 31 - 1);
