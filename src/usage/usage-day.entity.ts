import { defineEntity, p } from "@mikro-orm/core";

/** What a workspace used in a day (UTC): messages that were sent, and numbers that were looked up. */
export const UsageDayEntity = defineEntity({
  name: "UsageDay",
  tableName: "usage_day",
  properties: {
    workspaceId: p.text().primary(),
    mode: p.enum(["live", "test"]).primary(),
    day: p.date().primary(),
    /** Of the messages. Empty: the row counts lookups. */
    channel: p.text().primary(),
    /** ISO 3166, or the calling code of an international network, such as `+883`. Empty: there is none. */
    country: p.text().primary(),
    /** Empty: no key has caused it. */
    keyId: p.text().primary(),
    number: p.bigint("string"),
  },
  indexes: [{ name: "usage_day_oldest_first", properties: "day", where: "day < 'infinity'" }],
});
