import { defineEntity, p } from "@mikro-orm/core";

/** The SHA-256 of signatures whose calls have had an effect. Kept for as long as they would be accepted. */
export const UsedSignatureEntity = defineEntity({
  name: "UsedSignature",
  tableName: "used_signature",
  properties: {
    workspaceId: p.text().primary(),
    nonce: p.blob().primary(),
    usedAt: p.datetime(),
  },
  indexes: [{ name: "used_signature_oldest_first", properties: "usedAt" }],
});
