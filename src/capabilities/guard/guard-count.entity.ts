import { defineEntity, p } from "@mikro-orm/core";

/**
 * Live verifications that were started within half a minute for a range of numbers, a country's calling code (`+234x`) or any number (`+x`), and
 * what became of them. Written by a trigger of `event`.
 */
export const GuardCountEntity = defineEntity({
  name: "GuardCount",
  tableName: "guard_count",
  properties: {
    workspaceId: p.text().primary(),
    numberRange: p.text().primary(),
    /** When the half minute begins. */
    at: p.datetime().primary(),
    started: p.integer(),
    /** Verifications of which a message could not be delivered. */
    failed: p.integer(),
    approved: p.integer(),
  },
  // Only for the sweep, whose condition has the predicate.
  indexes: [{ name: "guard_count_oldest_first", properties: "at", where: "at < 'infinity'" }],
});
