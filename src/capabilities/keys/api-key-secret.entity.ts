import { defineEntity, p } from "@mikro-orm/core";
import { ApiKeyEntity } from "./api-key.entity.ts";

/** A key has one secret, and for a while those that were replaced. */
export const ApiKeySecretEntity = defineEntity({
  name: "ApiKeySecret",
  tableName: "api_key_secret",
  properties: {
    prefix: p.text().primary(),
    keyId: p
      .manyToOne(ApiKeyEntity)
      .mapToPk()
      .fieldNames("key_id")
      .index(false)
      .deleteRule("cascade")
      .foreignKeyName("api_key_secret_key_id_fkey"),
    /** Null: the key is publishable, and the prefix is all of it. */
    secretHash: p.text().nullable(),
    /** Null: as long as the key. */
    validUntil: p.datetime().nullable(),
  },
  checks: [
    {
      name: "api_key_secret_none_if_publishable",
      expression: "(secret_hash IS NULL) = starts_with(prefix, 'pk_pub_')",
    },
  ],
  indexes: [{ name: "api_key_secret_of_key", properties: "keyId" }],
});
