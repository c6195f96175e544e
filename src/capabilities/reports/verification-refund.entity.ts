import { defineEntity, p } from "@mikro-orm/core";

/**
 * A queue of prices that came back after the event of their message, and that reports have yet to subtract. Written by a trigger of `outbox`
 * (docs/decisions/0080).
 */
export const VerificationRefundEntity = defineEntity({
  name: "VerificationRefund",
  tableName: "verification_refund",
  properties: {
    workspaceId: p.text().primary(),
    messageId: p.text().primary(),
    /** The verification, and what its slots are found by, but for the provider, which its events have. */
    subjectId: p.text(),
    mode: p.enum(["live", "test"]),
    startedAt: p.datetime(),
    channel: p.text(),
    country: p.text(),
    keyId: p.text(),
    /** In the smallest unit of the prices. */
    amount: p.bigint("string"),
  },
});
