import { defineEntity, p } from "@mikro-orm/core";

/** Events in the order in which they can be read. They hold no recipient, no code and no secret. */
export const EventEntity = defineEntity({
  name: "Event",
  tableName: "event",
  properties: {
    /** Given after the commit, one transaction at a time: no event appears before one that was read. */
    position: p.bigint("string").primary().autoincrement(false),
    id: p.text(),
    workspaceId: p.text(),
    mode: p.enum(["live", "test"]),
    /** Such as `verification.started`. */
    type: p.text(),
    /** The object that the event is about. */
    subjectId: p.text(),
    /** Not earlier than that of the position before, unless the clock was set back. */
    createdAt: p.datetime(),
    /** The object's own columns at that moment. */
    snapshot: p.json<unknown>(),
  },
  uniques: [{ name: "event_id_key", properties: "id" }],
  indexes: [
    { name: "event_of_workspace", properties: ["workspaceId", "mode", "position"] },
    { name: "event_of_type", properties: ["type", "workspaceId", "mode", "position"] },
    { name: "event_of_subject", properties: ["subjectId", "position"] },
    { name: "event_oldest_first", properties: ["createdAt", "position"] },
  ],
});
