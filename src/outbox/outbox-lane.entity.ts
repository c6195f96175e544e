import { defineEntity, p } from "@mikro-orm/core";

/**
 * The lanes of groups that have pending messages, so that a poll finds those that are due without looking at the others' messages.
 * Rows are kept by a trigger of `outbox` and by `outbox_claim_group`.
 */
export const OutboxLaneEntity = defineEntity({
  name: "OutboxLane",
  tableName: "outbox_lane",
  properties: {
    /** `<group>/<receiver>`. */
    lane: p.text().primary(),
    laneGroup: p.text(),
    /** When its turn comes: not later than its first message is due, unless it has just had a turn. */
    dueAt: p.datetime(),
  },
  indexes: [{ name: "outbox_lane_due", properties: ["laneGroup", "dueAt"] }],
});
