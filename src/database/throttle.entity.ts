import { defineEntity, p } from "@mikro-orm/core";

/** The token buckets of the throttle, by GCRA. */
export const ThrottleEntity = defineEntity({
  name: "Throttle",
  tableName: "throttle",
  properties: {
    workspaceId: p.text().primary(),
    key: p.text().primary(),
    /** The theoretical arrival time of the next token. */
    tat: p.datetime(),
  },
});
