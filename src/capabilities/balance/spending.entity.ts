import { defineEntity, p } from "@mikro-orm/core";

/** The one row says what the integers of the ledger mean. */
export const LedgerCurrencyEntity = defineEntity({
  name: "LedgerCurrency",
  tableName: "ledger_currency",
  properties: {
    /** ISO 4217. */
    currency: p.text(),
    /** Digits after the point of an amount. */
    digits: p.integer(),
    isOnly: p.boolean().primary().default(true).check("is_only"),
  },
});

/** The counted entries of a workspace's account `wallet`, as a sum. */
export const WalletEntity = defineEntity({
  name: "Wallet",
  tableName: "wallet",
  properties: { workspaceId: p.text().primary(), balance: p.bigint() },
});

/** Money that one server may charge to, for one key and one day. A row is an open reserve. */
export const SpendReserveEntity = defineEntity({
  name: "SpendReserve",
  tableName: "spend_reserve",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    /** Empty: what no key has caused. */
    keyId: p.text(),
    serverId: p.text(),
    day: p.date(),
    amount: p.bigint().check("amount > 0"),
    /** Its server has closed it by then, unless it crashed: any server may. */
    expiresAt: p.datetime(),
  },
  indexes: [{ name: "spend_reserve_expires_at", properties: ["expiresAt"] }],
});

/** What was spent or is reserved, in a day or a month (UTC). */
export const SpendPeriodEntity = defineEntity({
  name: "SpendPeriod",
  tableName: "spend_period",
  properties: {
    workspaceId: p.text().primary(),
    /** Empty: all of the workspace. */
    keyId: p.text().primary(),
    period: p.enum(["day", "month"]).primary(),
    starts: p.date().primary(),
    amount: p.bigint(),
  },
  indexes: [{ name: "spend_period_starts", properties: ["starts"] }],
});

/** How much a workspace or one of its keys may spend in a period. */
export const SpendCapEntity = defineEntity({
  name: "SpendCap",
  tableName: "spend_cap",
  properties: {
    workspaceId: p.text().primary(),
    /** Empty: the cap of the workspace. */
    keyId: p.text().primary(),
    period: p.enum(["day", "month"]),
    amount: p.bigint().check("amount >= 0"),
    createdAt: p.datetime(),
  },
});
