import { defineEntity, p } from "@mikro-orm/core";

/** Sends that the guard refused in an hour, or would have refused. Written by a trigger of `event`. */
export const GuardHourEntity = defineEntity({
  name: "GuardHour",
  tableName: "guard_hour",
  properties: {
    workspaceId: p.text().primary(),
    mode: p.enum(["live", "test"]).primary(),
    /** When it begins. */
    hour: p.datetime().primary(),
    reason: p.text().primary(),
    /** ISO 3166. Empty: the numbers do not tell. */
    country: p.text().primary(),
    refused: p.integer(),
    wouldRefuse: p.integer(),
  },
  indexes: [{ name: "guard_hour_oldest_first", properties: ["hour"] }],
});
