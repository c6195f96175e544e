import { defineEntity, p } from "@mikro-orm/core";

/** A call with an idempotency key: claimed while it runs, then with its answer, which only the server can read. */
export const IdempotencyEntity = defineEntity({
  name: "Idempotency",
  tableName: "idempotency",
  properties: {
    workspaceId: p.text().primary(),
    /** The mode of an API key; or the id of a session's user, with the mode that the call names. */
    realm: p.text().primary(),
    key: p.text().primary(),
    fingerprint: p.text(),
    claimId: p.text(),
    claimedUntil: p.datetime(),
    createdAt: p.datetime(),
    answerSealed: p.blob().nullable(),
  },
  indexes: [{ name: "idempotency_oldest_first", properties: "createdAt" }],
});
