import { defineEntity, p } from "@mikro-orm/core";

/** Events that are committed, and have no position yet. Their rows are moved to `event` within a moment. */
export const EventPendingEntity = defineEntity({
  name: "EventPending",
  tableName: "event_pending",
  properties: {
    /** In the order of writing, not of commits. */
    number: p.bigint("string").primary(),
    workspaceId: p.text(),
    mode: p.enum(["live", "test"]),
    type: p.text(),
    subjectId: p.text(),
    createdAt: p.datetime(),
    snapshot: p.json<unknown>(),
  },
  indexes: [{ name: "event_pending_of_workspace", properties: ["workspaceId", "number"] }],
});
