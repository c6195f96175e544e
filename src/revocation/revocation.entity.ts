import { defineEntity, p } from "@mikro-orm/core";

/** Sequence numbers are taken under an advisory lock that is held until the commit: sequence order is commit order. */
export const RevocationEntity = defineEntity({
  name: "Revocation",
  tableName: "revocation",
  properties: {
    seq: p.bigint("string").primary(),
    subject: p.text(),
    createdAt: p.datetime(),
  },
});
