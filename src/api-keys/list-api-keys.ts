import type { Database } from "../database/database.ts";
import { invalidFields } from "../errors.ts";
import { type ApiKey, ApiKeyEntity } from "./api-key.entity.ts";

export interface ListApiKeysInput {
  readonly workspaceId: string;
  /** Undefined: everything at once, `maxUnpaged` at most. */
  readonly pageSize: number | undefined;
  readonly pageToken: string | undefined;
  readonly includeRevoked: boolean;
}

export interface ListedApiKeys {
  readonly keys: readonly ApiKey[];
  /** Undefined on the last page. */
  readonly nextPageToken: string | undefined;
}

const maxUnpaged = 1000;

/** Lists a workspace's keys, newest first. Throws `validation_error` for a page token that was not made here. */
export async function listApiKeys(
  deps: { readonly database: Database },
  input: ListApiKeysInput,
): Promise<ListedApiKeys> {
  const limit = input.pageSize ?? maxUnpaged;
  const after = input.pageToken === undefined ? undefined : parsePageToken(input.pageToken);
  const keys = await deps.database.withEntities((entities) =>
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

/** Keys are made with microseconds by nobody: `created_at` is cut to milliseconds, which `Date` holds exactly. */
function formatPageToken(key: Pick<ApiKey, "createdAt" | "id">): string {
  return Buffer.from(`${key.createdAt.getTime()} ${key.id}`).toString("base64url");
}

function parsePageToken(token: string): Pick<ApiKey, "createdAt" | "id"> {
  const [, time, id] = /^(\d{1,15}) (key_[0-9A-Za-z]{22})$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (time === undefined || id === undefined) {
    throw invalidFields({ page_token: "must be the next_page_token of the page before" });
  }
  return { createdAt: new Date(Number(time)), id };
}
