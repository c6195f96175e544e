import { defineEntity, p } from "@mikro-orm/core";
import type { WorkspaceEntity } from "../../../access/workspace.entity.ts";
import type { TablesOf } from "../../../database/table-query.ts";

/** A recipient of live mode whose verifications all have one code, which is derived from the id and stored nowhere. */
export const FixedCodeEntity = defineEntity({
  name: "FixedCode",
  tableName: "fixed_code",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    recipientSealed: p.blob(),
    recipientIndex: p.text(),
    codeLength: p.smallint().check("code_length >= 4 AND code_length <= 10"),
    /** The master secret that the code is derived from. */
    secretId: p.text(),
    description: p.text().nullable(),
    /** The user's id. */
    createdBy: p.text(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
  },
  // None for the recipient: a workspace has ten rows at most, which the primary key finds.
  indexes: [{ name: "fixed_code_by_expiry", properties: "expiresAt" }],
});

/** The table, and the workspaces that rows belong to. */
export type FixedCodeTables = TablesOf<typeof FixedCodeEntity | typeof WorkspaceEntity>;
