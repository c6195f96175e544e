import { defineEntity, p } from "@mikro-orm/core";
import { AccountEntity } from "./account.entity.ts";

/** From where an account is used to being signed in to. Ends with its account. */
export const KnownSourceEntity = defineEntity({
  name: "KnownSource",
  tableName: "known_source",
  properties: {
    accountId: p
      .manyToOne(AccountEntity)
      .mapToPk()
      .primary()
      .fieldNames("account_id")
      .index(false)
      .deleteRule("cascade")
      .foreignKeyName("known_source_account_id_fkey"),
    /** No address: a keyed hash of account and source. */
    source: p.blob().primary(),
    expiresAt: p.datetime(),
  },
  indexes: [{ name: "known_source_oldest_first", properties: "expiresAt" }],
});
