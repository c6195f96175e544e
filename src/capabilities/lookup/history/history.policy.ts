/** The rules of the history that have a number. `test/capabilities/policy.test.ts` compares the schema with them. */

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** How often a server writes the lookups that it holds: as much is lost if it is killed. */
export const writeIntervalMs = 250;

/** Lookups that a server holds, some 20 MB. Others are not recorded while so many wait. */
export const maxHeldLookups = 20_000;

/** Lookups that are sealed in one turn of the event loop and written by one statement. */
export const writeBatchSize = 100;
