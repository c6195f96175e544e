import { defineEntity, p } from "@mikro-orm/core";

/** Lookups of workspaces that keep a history. */
export const LookupEntity = defineEntity({
  name: "Lookup",
  tableName: "lookup",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    mode: p.enum(["live", "test"]),
    /** The exact index of the number, as verifications index recipients, so that an erasure finds both. */
    numberIndex: p.text(),
    /** The number and what was answered. See `StoredLookup`. */
    sealed: p.blob(),
    createdAt: p.datetime(),
  },
  indexes: [
    {
      name: "lookup_list",
      properties: ["workspaceId", "mode", "createdAt", "id"],
      where: "created_at > '-infinity'",
    },
    { name: "lookup_of_number", properties: ["numberIndex", "createdAt", "id"] },
    { name: "lookup_oldest_first", properties: ["createdAt"], where: "created_at < 'infinity'" },
  ],
});
