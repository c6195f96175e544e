import { defineEntity, p } from "@mikro-orm/core";

/** Numbers are taken under an advisory lock that is held until the commit, so that their order is the commits' order. */
export const RevocationEntity = defineEntity({
  name: "Revocation",
  tableName: "revocation",
  properties: {
    seq: p.bigint("string").primary(),
    subject: p.text(),
    createdAt: p.datetime(),
  },
});
