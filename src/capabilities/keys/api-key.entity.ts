import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { WorkspaceEntity } from "../../access/workspace.entity.ts";

/** A key of a workspace. Its secrets are kept in a table of their own, as argon2id hashes only. Publishable keys have none. */
export const ApiKeyEntity = defineEntity({
  name: "ApiKey",
  tableName: "api_key",
  properties: {
    id: p.text().primary(),
    workspaceId: p
      .manyToOne(WorkspaceEntity)
      .mapToPk()
      .fieldNames("workspace_id")
      .index(false)
      .foreignKeyName("api_key_workspace_id_fkey"),
    /** Of the newest secret: the part of the key before the dot. Not a secret. */
    prefix: p.text(),
    name: p.text(),
    mode: p.enum(["live", "test"]),
    /** Null: unrestricted. */
    scopes: p.array().nullable().check("cardinality(scopes) > 0"),
    /** Null: never. JSON has no years beyond 9999. */
    expiresAt: p.datetime().nullable(),
    /** The user's id. Null: the server itself. */
    createdBy: p.text().nullable(),
    /** In their one notation. Null: all addresses. */
    ipAllowlist: p.array().nullable().check("cardinality(ip_allowlist) >= 1 AND cardinality(ip_allowlist) <= 100"),
    /** As browsers write them. Null: the key is secret. */
    origins: p.array().nullable().check("cardinality(origins) >= 1 AND cardinality(origins) <= 20"),
    /** In any 60 seconds. Null: as many as the workspace. */
    requestsPerMinute: p.integer().nullable().check("requests_per_minute > 0"),
    requireSignature: p.boolean().default(false),
    /** Counts where signatures are required. */
    minSignatureVersion: p.enum(["v1", "v2"]).default("v1"),
    /** Raised whenever something changes that decides which calls are admitted. */
    revision: p.integer().default(0),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    revocationReason: p.text().nullable(),
  },
  checks: [
    {
      name: "api_key_expires_at_can_be_told",
      expression: "expires_at >= '0001-01-01 00:00:00+00' AND expires_at < '10000-01-01 00:00:00+00'",
    },
  ],
  indexes: [
    {
      name: "api_key_newest_first",
      expression: "CREATE INDEX api_key_newest_first ON api_key (workspace_id, created_at DESC, id DESC)",
    },
  ],
  uniques: [{ name: "api_key_prefix_key", properties: "prefix" }],
});

export type ApiKey = InferEntity<typeof ApiKeyEntity>;
