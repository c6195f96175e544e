import { defineEntity, p } from "@mikro-orm/core";

/** Null: none. */
const count = () => p.integer().nullable();

/**
 * The verifications that were started in a quarter of an hour, or in six hours, and have had an outcome, in numbers, by all that reports group them
 * by. Written by a trigger of `event` (docs/decisions/0080).
 */
export const VerificationSlotEntity = defineEntity({
  name: "VerificationSlot",
  tableName: "verification_slot",
  properties: {
    workspaceId: p.text().primary(),
    mode: p.enum(["live", "test"]).primary(),
    /** How long it is: one of `slotMinutes`. Each length has all verifications. */
    minutes: p.integer().primary(),
    /** When it begins. */
    slot: p.datetime().primary(),
    /** Of the start. */
    channel: p.text().primary(),
    /** Of the start's recipient. Empty: a mail address, or a number that does not tell. */
    country: p.text().primary(),
    /** Of the first outcome. Empty: it tells of none. */
    provider: p.text().primary(),
    /** Of the start. Empty: an earlier version of the server did not note it. */
    keyId: p.text().primary(),
    started: count(),
    /** Verifications of which a provider accepted a message. */
    sent: count(),
    delivered: count(),
    approved: count(),
    expired: count(),
    locked: count(),
    canceled: count(),
    channelUnavailable: count(),
    /** Messages. */
    failedMessages: count(),
    /** What their messages cost, without what came back, in the smallest unit of the prices. */
    cost: p.bigint("string").nullable(),
    /** Approvals in each range of `durationBoundsMs`, and what took longer: a column each, which sums read faster than an array. */
    approvedRange0: count(),
    approvedRange1: count(),
    approvedRange2: count(),
    approvedRange3: count(),
    approvedRange4: count(),
    approvedRange5: count(),
    approvedRange6: count(),
    approvedRange7: count(),
    approvedRange8: count(),
    approvedRange9: count(),
    approvedRange10: count(),
    approvedRange11: count(),
    approvedRange12: count(),
    approvedRange13: count(),
  },
  indexes: [{ name: "verification_slot_oldest_first", properties: "slot", where: "slot < 'infinity'" }],
});
