import { statement } from "../database/statement.ts";

/** More events than a backup can be behind. Positions are safe integers: there is room for millions of restores. */
const gap = 1_000_000_000;

/**
 * Leaves out positions after a backup was restored: readers have seen some that the backup does not know of, and would miss new events with
 * those.
 */
export const skipEventPositions = statement("skip_event_positions")(
  {},
  () => `SELECT setval('event_position', (SELECT last_value FROM event_position) + ${gap})`,
);
