import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import type { SignatureVersion } from "../../access/signature.ts";

/** A key of a workspace. Its secrets are kept in a table of their own, as argon2id hashes only. */
export const ApiKeyEntity = defineEntity({
  name: "ApiKey",
  tableName: "api_key",
  properties: {
    id: p.text().primary(),
    workspaceId: p.text(),
    /** Of the newest secret: the part of the key before the dot. Not a secret. */
    prefix: p.text(),
    name: p.text(),
    mode: p.text().$type<"live" | "test">(),
    /** Null: unrestricted. */
    scopes: p.array().nullable(),
    /** Null: never. */
    expiresAt: p.datetime().nullable(),
    /** The user's id. Null: the server itself. */
    createdBy: p.text().nullable(),
    /** In their one notation. Null: all addresses. */
    ipAllowlist: p.array().nullable(),
    /** In any 60 seconds. Null: as many as the workspace. */
    requestsPerMinute: p.integer().nullable(),
    requireSignature: p.boolean(),
    /** Counts where signatures are required. */
    minSignatureVersion: p.text().$type<SignatureVersion>(),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    revocationReason: p.text().nullable(),
  },
});

export type ApiKey = InferEntity<typeof ApiKeyEntity>;
