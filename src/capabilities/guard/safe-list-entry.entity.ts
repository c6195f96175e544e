import { defineEntity, p } from "@mikro-orm/core";

/** A recipient or a range of numbers that the guard never refuses. */
export const SafeListEntryEntity = defineEntity({
  name: "SafeListEntry",
  tableName: "safe_list_entry",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    mode: p.enum(["live", "test"]),
    /** The exact index of a recipient, under the master secret that was current when it was added. */
    recipientIndex: p.text().nullable(),
    recipientSealed: p.blob().nullable(),
    /** `+65912` */
    numberRange: p.text().nullable(),
    createdAt: p.datetime(),
  },
  checks: [
    {
      name: "safe_list_entry_check",
      expression:
        "(recipient_index IS NULL) = (recipient_sealed IS NULL) AND (recipient_index IS NULL) <> (number_range IS NULL)",
    },
  ],
  uniques: [
    { name: "safe_list_entry_of_recipient", properties: ["recipientIndex", "workspaceId", "mode"] },
    { name: "safe_list_entry_of_range", properties: ["workspaceId", "mode", "numberRange"] },
  ],
});
