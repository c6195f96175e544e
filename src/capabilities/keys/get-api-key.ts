import { WorkspaceEntity } from "../../access/workspace.entity.ts";
import { isId } from "../../crypto/ids.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import { AppError } from "../../errors.ts";
import { type ApiKey, ApiKeyEntity } from "./api-key.entity.ts";
import type { KeyTables } from "./key-tables.ts";

/** Names a key of a workspace. */
export interface KeyReference {
  readonly workspaceId: string;
  readonly id: string;
}

/** A key, revoked or not. Throws `not_found` if the workspace has no such key. */
export async function getApiKey(
  deps: { readonly database: Pick<Database, "withEntities"> },
  { workspaceId, id }: KeyReference,
): Promise<ApiKey> {
  const key = await deps.database.withEntities([ApiKeyEntity, WorkspaceEntity], (entities) =>
    entities.findOne(ApiKeyEntity, { workspaceId, id }, { disableIdentityMap: true }),
  );
  if (key === null) {
    throw keyNotFound();
  }
  return key;
}

/**
 * Checks that a text has the form of a key id; throws `not_found` otherwise. A whole key that is pasted in place of its id
 * must not get into the database's log.
 */
export function keyIdOf(text: string): string {
  if (!isId("key", text)) {
    throw keyNotFound();
  }
  return text;
}

export function keyNotFound(): AppError {
  return new AppError("not_found", "There is no API key with this id.");
}

/**
 * Locks a key that is active, and returns whether it is publishable. Throws `not_found` if the workspace has no such key, or it was revoked or has expired: both are
 * for good.
 */
export async function requireActive(
  transaction: QueryableTables,
  { workspaceId, id }: KeyReference,
): Promise<{ readonly isPublishable: boolean }> {
  const [active] = await transaction.query((tables: KeyTables) =>
    tables
      .selectFrom("api_key")
      .select((eb) => eb("origins", "is not", null).as("isPublishable"))
      .where("workspaceId", "=", workspaceId)
      .where("id", "=", id)
      .where("revokedAt", "is", null)
      .where((eb) => eb.or([eb("expiresAt", "is", null), eb("expiresAt", ">", databaseTime)]))
      .forUpdate(),
  );
  if (active === undefined) {
    throw new AppError("not_found", "There is no active API key with this id.");
  }
  return { isPublishable: active.isPublishable === true };
}
