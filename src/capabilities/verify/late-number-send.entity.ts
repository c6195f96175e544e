import { defineEntity, p } from "@mikro-orm/core";

/** Messages to a number that were written after the start of their verification, until the guard has counted them (`guard-0002.migration.ts`). */
export const LateNumberSendEntity = defineEntity({
  name: "LateNumberSend",
  tableName: "late_number_send",
  properties: {
    workspaceId: p.text().primary(),
    messageId: p.text().primary(),
    verificationId: p.text(),
    isFirst: p.boolean(),
  },
});
