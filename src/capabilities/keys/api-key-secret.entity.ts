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
    secretHash: p.text(),
    /** Null: as long as the key. */
    validUntil: p.datetime().nullable(),
  },
  indexes: [{ name: "api_key_secret_of_key", properties: "keyId" }],
});
