/** The numbers of reports. `test/capabilities/policy.test.ts` compares the schema with them. */

/** Days. Reports are kept longer than the verifications, and never shorter than the longest period that can be asked for. */
export const retention = { min: 31, max: 3_650, default: 400 } as const;

/**
 * Where the ranges end in which durations are counted, in milliseconds; what takes longer is in one range more. They are part of what is
 * stored: a migration may add some at the end.
 */
export const durationBoundsMs = [
  100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
] as const;

/**
 * Verifications are counted twice, by the quarter of an hour of their start and by the six hours: days begin with quarters in all time zones, and
 * six hours of them take a quarter of the rows. A report reads long slots where they lie within its days, and short ones around them.
 */
export const slotMinutes = { short: 15, long: 360 } as const;

/** Days of a verification report. */
export const reportDays = { default: 30, max: 366 } as const;

/** Groups of a verification report. */
export const maxReportGroups = 10_000;

/** How often a server adds the requests that it has counted: as much is lost if it crashes. */
export const requestCountIntervalMs = 5_000;

/** Counts of requests that a server holds: one for each workspace, mode and code. */
export const maxHeldRequestCounts = 20_000;

/** Counts that are added by one statement. */
export const requestCountBatchSize = 1_000;

/** Days of a report of usage. */
export const usageDays = { default: 30, max: 366 } as const;

/** Groups of a report of usage. */
export const maxUsageGroups = 10_000;
