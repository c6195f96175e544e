import { defineEntity, type InferEntity, p } from "@mikro-orm/core";

/** A key of a workspace. Its secret is kept as an argon2id hash only. */
export const ApiKeyEntity = defineEntity({
  name: "ApiKey",
  tableName: "api_key",
  properties: {
    id: p.text().primary(),
    workspaceId: p.text(),
    /** The part of the key before the dot. Not a secret. */
    prefix: p.text(),
    /** argon2id, in PHC string format. */
    secretHash: p.text().lazy().hidden(),
    name: p.text(),
    mode: p.text().$type<"live" | "test">(),
    /** Null: unrestricted. */
    scopes: p.array().nullable(),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
  },
});

export type ApiKey = InferEntity<typeof ApiKeyEntity>;
