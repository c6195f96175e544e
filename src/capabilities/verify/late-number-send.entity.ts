import { defineEntity, p } from "@mikro-orm/core";

/** Verifications that sent their first code to a number after their start, until the guard has counted them (`guard-0002.migration.ts`). */
export const LateNumberSendEntity = defineEntity({
  name: "LateNumberSend",
  tableName: "late_number_send",
  properties: {
    workspaceId: p.text().primary(),
    verificationId: p.text().primary(),
  },
});
