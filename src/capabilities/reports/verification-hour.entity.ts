import { defineEntity, p } from "@mikro-orm/core";

const durations = () => p.array(Number).columnType("integer[]");

/**
 * The verifications that were started in an hour, in numbers. Written by a trigger of `event`. What reports distinguish by is in the key,
 * and what they count has a column each: both grow by adding columns (docs/decisions/0053).
 */
export const VerificationHourEntity = defineEntity({
  name: "VerificationHour",
  tableName: "verification_hour",
  properties: {
    workspaceId: p.text().primary(),
    mode: p.enum(["live", "test"]).primary(),
    /** When it begins. */
    hour: p.datetime().primary(),
    /** Of the start. */
    channel: p.text().primary(),
    started: p.integer(),
    /** Verifications of which a message arrived. */
    delivered: p.integer(),
    approved: p.integer(),
    expired: p.integer(),
    locked: p.integer(),
    canceled: p.integer(),
    channelUnavailable: p.integer(),
    /** Messages. A verification can have several. */
    failedMessages: p.integer(),
    /** From the start until the first message arrived: how many of each range of `durationBoundsMs`, and of what took longer. */
    timeToDelivery: durations(),
    /** From the start until the code matched. */
    timeToApproval: durations(),
  },
  indexes: [{ name: "verification_hour_oldest_first", properties: ["hour"] }],
});
