import { defineEntity, p } from "@mikro-orm/core";

/** Workspaces whose codes are checked, as far as the guard knows. Written by a trigger of `event`. */
export const GuardApprovalEntity = defineEntity({
  name: "GuardApproval",
  tableName: "guard_approval",
  properties: {
    workspaceId: p.text().primary(),
    /** When a code that was sent to a number was last approved, to the hour. */
    approvedAt: p.datetime(),
  },
});
