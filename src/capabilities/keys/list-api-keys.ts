import { WorkspaceEntity } from "../../access/workspace.entity.ts";
import type { Database } from "../../database/database.ts";
import { formatPageToken, parsePageToken } from "../../rpc/page-token.ts";
import { type ApiKey, ApiKeyEntity } from "./api-key.entity.ts";
import { pageSize } from "./keys.policy.ts";

export interface ListApiKeysInput {
  readonly workspaceId: string;
  /** Undefined: everything at once, `pageSize.max` at most. */
  readonly pageSize: number | undefined;
  readonly pageToken: string | undefined;
  readonly includeRevoked: boolean;
}

export interface ListedApiKeys {
  readonly keys: readonly ApiKey[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

/** Lists a workspace's keys, newest first. Throws `validation_error` for a page token that was not made here. */
export async function listApiKeys(
  deps: { readonly database: Database },
  input: ListApiKeysInput,
): Promise<ListedApiKeys> {
  const limit = input.pageSize ?? pageSize.max;
  const after = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken, "key_");
  const keys = await deps.database.withEntities([ApiKeyEntity, WorkspaceEntity], (entities) =>
    entities.find(
      ApiKeyEntity,
      {
        workspaceId: input.workspaceId,
        ...(input.includeRevoked ? {} : { revokedAt: null }),
        ...(after === undefined
          ? {}
          : {
              $or: [{ createdAt: { $lt: after.createdAt } }, { createdAt: after.createdAt, id: { $lt: after.id } }],
            }),
      },
      { orderBy: [{ createdAt: "desc" }, { id: "desc" }], limit: limit + 1, disableIdentityMap: true },
    ),
  );
  const page = keys.slice(0, limit);
  const last = page.at(-1);
  const isPaged = input.pageSize !== undefined && keys.length > limit;
  return { keys: page, nextPageToken: isPaged && last !== undefined ? formatPageToken(last) : undefined };
}
