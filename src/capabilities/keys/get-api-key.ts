import { isId } from "../../crypto/ids.ts";
import type { Database } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import { type ApiKey, ApiKeyEntity } from "./api-key.entity.ts";

/** Which key of which workspace. */
export interface KeyReference {
  readonly workspaceId: string;
  readonly id: string;
}

/** A key, revoked or not. Throws `not_found` if the workspace has no such key. */
export async function getApiKey(
  deps: { readonly database: Pick<Database, "withEntities"> },
  { workspaceId, id }: KeyReference,
): Promise<ApiKey> {
  const key = await deps.database.withEntities((entities) =>
    entities.findOne(ApiKeyEntity, { workspaceId, id }, { disableIdentityMap: true }),
  );
  if (key === null) {
    throw keyNotFound();
  }
  return key;
}

/**
 * An id as it came, if it has the form of one; otherwise throws `not_found`. Who pastes a key in the place of its id must
 * not find it in the log of the database.
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

/** SQL of whether a key was neither revoked nor has expired. Both are for good: whoever found it must not see it come back. */
export const isActive = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > byond_now())";

/** For what a key does not take that is not active any more. */
export function activeKeyNotFound(): AppError {
  return new AppError("not_found", "There is no active API key with this id.");
}
