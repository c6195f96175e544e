import { defineEntity, p } from "@mikro-orm/core";

/** The secrets that servers have written with, and when they did: rows of these times may need them. */
export const MasterSecretEntity = defineEntity({
  name: "MasterSecret",
  tableName: "master_secret",
  properties: {
    id: p.text().primary(),
    firstUsedAt: p.datetime(),
    lastUsedAt: p.datetime(),
  },
});
