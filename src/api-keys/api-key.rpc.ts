import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type ApiKeyService,
  Mode as ModeMessage,
  type ScopeSet,
  ScopeSetSchema,
} from "../../gen/byond/v1/api_key_pb.ts";
import type { Database } from "../database/database.ts";
import type { Hasher } from "../hashing.ts";
import { type Mode, sessionCaller } from "../rpc/caller.ts";
import type { ApiKey } from "./api-key.entity.ts";
import { createApiKey } from "./create-api-key.ts";
import { listApiKeys } from "./list-api-keys.ts";
import { revokeApiKey } from "./revoke-api-key.ts";

/** ApiKeyService: messages to operations and back. */
export function apiKeyService(deps: {
  readonly database: Database;
  readonly keyHasher: Hasher;
  readonly tagKey: Buffer;
}): ServiceImpl<typeof ApiKeyService> {
  return {
    async createApiKey(request, context) {
      const { workspaceId } = sessionCaller(context);
      const created = await createApiKey(deps, {
        workspaceId,
        name: request.name,
        mode: request.mode === ModeMessage.TEST ? "test" : "live",
        scopes: request.scopes?.scopes ?? null,
      });
      return {
        id: created.id,
        name: created.name,
        keyPrefix: created.prefix,
        ...scopesField(created.scopes),
        createdAt: timestampFromDate(created.createdAt),
        key: created.key,
        mode: modeMessage(created.mode),
      };
    },

    async listApiKeys(request, context) {
      const { workspaceId } = sessionCaller(context);
      const { keys, nextPageToken } = await listApiKeys(deps, {
        workspaceId,
        pageSize: request.pageSize,
        pageToken: request.pageToken,
        includeRevoked: request.includeRevoked,
      });
      return { keys: keys.map(apiKeyMessage), ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    },

    async revokeApiKey(request, context) {
      const { workspaceId } = sessionCaller(context);
      await revokeApiKey(deps, { workspaceId, id: request.id });
      return { id: request.id, revoked: true };
    },
  };
}

function apiKeyMessage(key: ApiKey) {
  return {
    id: key.id,
    name: key.name,
    keyPrefix: key.prefix,
    ...scopesField(key.scopes ?? null),
    createdAt: timestampFromDate(key.createdAt),
    ...(key.lastUsedAt == null ? {} : { lastUsedAt: timestampFromDate(key.lastUsedAt) }),
    mode: modeMessage(key.mode),
    ...(key.revokedAt == null ? {} : { revokedAt: timestampFromDate(key.revokedAt) }),
  };
}

function scopesField(scopes: readonly string[] | null): { scopes?: ScopeSet } {
  return scopes === null ? {} : { scopes: create(ScopeSetSchema, { scopes: [...scopes] }) };
}

function modeMessage(mode: Mode): ModeMessage {
  return mode === "test" ? ModeMessage.TEST : ModeMessage.LIVE;
}
