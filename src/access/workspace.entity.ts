import { defineEntity, p } from "@mikro-orm/core";
import { tiers } from "./tiers.ts";

/** A workspace: an account, its keys, and everything that is done with them. */
export const WorkspaceEntity = defineEntity({
  name: "Workspace",
  tableName: "workspace",
  properties: {
    id: p.text().primary(),
    name: p.text(),
    tier: p.enum(tiers).default("starter"),
    /** In canonical notation. Null: all addresses. */
    ipAllowlist: p.array().nullable().check("cardinality(ip_allowlist) >= 1 AND cardinality(ip_allowlist) <= 100"),
    /** Raised whenever a change affects which calls are admitted. */
    revision: p.integer().default(0),
    /** Whether its lookups are kept in a history. */
    lookupHistory: p.boolean().default(false),
    createdAt: p.datetime(),
    deactivatedAt: p.datetime().nullable(),
  },
  indexes: [{ name: "workspace_to_erase", properties: "deactivatedAt", where: "deactivated_at IS NOT NULL" }],
});
