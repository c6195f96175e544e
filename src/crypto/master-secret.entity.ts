import { defineEntity, p } from "@mikro-orm/core";

/** The master secrets that servers have written with, and when: rows of that time may need them. */
export const MasterSecretEntity = defineEntity({
  name: "MasterSecret",
  tableName: "master_secret",
  properties: {
    id: p.text().primary(),
    firstUsedAt: p.datetime(),
    lastUsedAt: p.datetime(),
  },
});
