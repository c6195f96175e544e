import { defineEntity, p } from "@mikro-orm/core";

/** Requests by the second. No index but the key's, so that an update stays on its page. */
export const QuotaEntity = defineEntity({
  name: "Quota",
  tableName: "quota",
  properties: {
    workspaceId: p.text().primary(),
    key: p.text().primary(),
    takenAt: p.datetime(),
    /** Tokens that the last reservation got. */
    granted: p.integer(),
    /** Begins 60 seconds before the second of `takenAt` and ends 9 after it. */
    counts: p.array(Number).columnType("integer[]").check("cardinality(counts) = 70"),
  },
});
