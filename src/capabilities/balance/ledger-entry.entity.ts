import { defineEntity, p } from "@mikro-orm/core";

/**
 * Money that moved from one account of a workspace to another, in the smallest unit of the prices. Rows are never changed, but that
 * `isCounted` becomes true. Accounts: `funding` (outside), `wallet`, `reserve`, `spent`.
 */
export const LedgerEntryEntity = defineEntity({
  name: "LedgerEntry",
  tableName: "ledger_entry",
  properties: {
    workspaceId: p.text().primary(),
    /** The reserve that it moved to or from; of a refund, that of its charge. Empty: none. */
    reserveId: p.text().primary(),
    /** The message or the lookup that was charged; the reserve; the operator's reference of a top-up. */
    reference: p.text().primary(),
    kind: p.enum(["top_up", "correction", "reserve", "release", "charge", "refund"]).primary(),
    debit: p.text(),
    credit: p.text(),
    amount: p.bigint().check("amount > 0"),
    /** Empty: no key has caused it. */
    keyId: p.text().default(""),
    /** The verification. */
    subjectId: p.text().nullable(),
    /** What was charged, such as `sms/DE`. */
    item: p.text().nullable(),
    /** The day (UTC) whose spending it counts to. */
    day: p.date(),
    /** Whether the balance in `wallet` contains it. Refunds are counted later. */
    isCounted: p.boolean().default(true),
    createdAt: p.datetime(),
  },
  checks: [{ name: "ledger_entry_accounts", expression: "debit <> credit" }],
  indexes: [
    {
      name: "ledger_entry_newest_first",
      properties: ["workspaceId", "createdAt", "reference", "kind"],
      // Without its first part, the charges of a reserve were looked for among all of the workspace.
      where: "created_at > '-infinity' AND kind <> 'reserve' AND kind <> 'release'",
    },
    { name: "ledger_entry_uncounted", properties: ["workspaceId"], where: "NOT is_counted" },
  ],
});
