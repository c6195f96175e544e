import { defineEntity, p } from "@mikro-orm/core";

/** The requests with keys that were answered in an hour, by how they were answered. */
export const RequestHourEntity = defineEntity({
  name: "RequestHour",
  tableName: "request_hour",
  properties: {
    workspaceId: p.text().primary(),
    mode: p.enum(["live", "test"]).primary(),
    /** When it begins. */
    hour: p.datetime().primary(),
    /** The code of the error, or `ok`. */
    code: p.text().primary(),
    requests: p.bigint("string"),
  },
  indexes: [{ name: "request_hour_oldest_first", properties: ["hour"] }],
});
