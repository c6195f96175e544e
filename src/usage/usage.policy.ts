/** How often a server adds the lookups that it has counted: as much is lost if it crashes. */
export const usageIntervalMs = 1_000;

/** Counts that a server holds: one for each workspace, mode, country and key. */
export const maxHeldUsage = 50_000;

/** Counts that are added by one statement. */
export const usageBatchSize = 1_000;
