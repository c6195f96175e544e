/** The numbers of reports. `test/capabilities/policy.test.ts` compares the schema with them. */

/** Days. Reports are kept longer than the verifications, and never shorter than the longest period that can be asked for. */
export const retention = { min: 31, max: 3_650, default: 400 } as const;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The periods of a report: as many buckets of the same length, the last of which is the current one. */
export const periods = {
  day: { bucketMs: hourMs, buckets: 24 },
  week: { bucketMs: dayMs, buckets: 7 },
  month: { bucketMs: dayMs, buckets: 30 },
} as const satisfies Record<string, Period>;

export interface Period {
  /** An hour or a day: buckets begin with those of UTC. */
  readonly bucketMs: number;
  readonly buckets: number;
}

/**
 * Where the ranges end in which durations are counted, in milliseconds; what takes longer is in one range more. They are part of what is
 * stored: a migration may add some at the end.
 */
export const durationBoundsMs = [
  100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
] as const;

/** How often a server adds the requests that it has counted: as much is lost if it crashes. */
export const requestCountIntervalMs = 5_000;

/** Counts of requests that a server holds: one for each workspace, mode and code. */
export const maxHeldRequestCounts = 20_000;

/** Counts that are added by one statement. */
export const requestCountBatchSize = 1_000;
