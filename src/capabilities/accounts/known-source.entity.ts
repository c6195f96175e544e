import { defineEntity, p } from "@mikro-orm/core";
import { AccountEntity } from "./account.entity.ts";

/** A source that an account is known to be signed in to from. Deleted with its account. */
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
    /** A keyed hash of account and source, not an address. */
    source: p.blob().primary(),
    expiresAt: p.datetime(),
  },
  indexes: [{ name: "known_source_oldest_first", properties: "expiresAt" }],
});
