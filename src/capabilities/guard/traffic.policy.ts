/**
 * How traffic is judged: the simulation (`bench/guard-simulation.ts`) shows what these numbers find, when, and whom they refuse. Those that
 * `guard-0002.migration.ts` and `guard-0003.migration.ts` read are part of the schema: a change needs a migration.
 */

/** Starts and approvals are counted in buckets of this length. */
export const bucketSeconds = 30;

/** People need time to get a message and to enter its code: younger starts are not judged. */
export const lagSeconds = { usual: 120, onProbation: 60 } as const;

/** The sliding windows. A range is blocked if it is under the floor in either of them. */
export const windowSeconds = { short: 3_600, long: 86_400 } as const;

/**
 * If nobody else of the workspace was approved for that long, messages may be getting lost, of all ranges: then the long window alone counts, in
 * which a range with many users was well before.
 */
export const otherApprovalsSeconds = 600;

/**
 * Percent of started verifications that are approved. A range is blocked if it is below by more than chance: by a standard deviation of the approvals
 * that the floor would give.
 */
export const conversionFloor = 15;

/**
 * Starts without which a window says nothing: of a range, of a country, and of all the workspace's traffic. A range that is under the floor counts
 * as its least starts for the country.
 */
export const minStarts = { range: 12, country: 30, workspace: 100 } as const;

/** The same after a block. With fewer, none of which is approved, a range is not below the floor by more than chance. */
export const minStartsOnProbation = { range: 6, country: 15 } as const;

/** The first block, what each block that follows is longer by, and the longest. */
export const blockMinutes = { first: 15, factor: 4, most: 1_440 } as const;

/** A workspace none of whose codes was approved for that long does not check them: its traffic is not judged. */
export const approvalDays = 7;
