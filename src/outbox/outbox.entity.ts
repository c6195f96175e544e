import { defineEntity, p } from "@mikro-orm/core";

/**
 * Messages to be sent. A pending row belongs to the server `claimedBy`, if there is one, until `availableAt`; from then on
 * any server may claim it. A finished row has no payload.
 */
export const OutboxEntity = defineEntity({
  name: "Outbox",
  tableName: "outbox",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    kind: p.text(),
    lane: p.text(),
    subjectId: p.text(),
    /** What the message is erased with, beside its subject, such as a verification. */
    erasedWith: p.text().nullable(),
    payloadSealed: p.blob().nullable(),
    status: p.enum(["pending", "sent", "failed", "expired"]).default("pending"),
    attempts: p.integer().default(0),
    claim: p.integer().default(1),
    claimedBy: p.text().nullable(),
    availableAt: p.datetime(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    finishedAt: p.datetime().nullable(),
    lastError: p.text().nullable(),
    /** What the price of the message was charged to, as long as it may come back. Null: it cost nothing, or may have been sent. */
    chargedTo: p.text().nullable(),
    /** It is in the usage already, although nobody knows whether it was sent: an attempt was not answered. */
    isCounted: p.boolean().default(false),
    /** Null: it cost nothing, or the price came back. */
    price: p.bigint("string").nullable(),
    /** The span that wrote the message. Null: its server sends no traces. */
    traceParent: p.text().nullable(),
  },
  checks: [{ name: "outbox_check", expression: "payload_sealed IS NOT NULL OR status <> 'pending'" }],
  indexes: [
    { name: "outbox_due", properties: ["lane", "availableAt"], where: "status = 'pending'" },
    {
      name: "outbox_erased_with",
      properties: ["erasedWith", "workspaceId"],
      where: "erased_with IS NOT NULL AND payload_sealed IS NOT NULL",
    },
    // Not the workspace first: without statistics, a look-up by id would use this index instead of the primary key.
    { name: "outbox_of_subject", properties: ["subjectId", "workspaceId", "createdAt"] },
  ],
});
