import type { Queryable } from "../database/database.ts";
import { AppError } from "../errors.ts";

const revoke = {
  name: "revoke_api_key",
  text: `
    UPDATE api_key SET revoked_at = coalesce(revoked_at, byond_now())
    WHERE workspace_id = $1 AND id = $2
    RETURNING prefix`,
};

/** Revokes a key for good; revoking it again changes nothing. Throws `not_found` if the workspace has no such key. */
export async function revokeApiKey(
  deps: { readonly database: Queryable },
  input: { readonly workspaceId: string; readonly id: string },
): Promise<void> {
  const [row] = await deps.database.query<{ prefix: string }>(revoke, [input.workspaceId, input.id]);
  if (row === undefined) {
    throw new AppError("not_found", "There is no API key with this id.");
  }
}
