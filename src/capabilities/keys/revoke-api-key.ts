import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { nullable, statement, text } from "../../database/statement.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { keySubject } from "../../revocation/revocation-subjects.ts";
import { keyNotFound } from "./get-api-key.ts";

const revoke = statement<{ id: string }>("revoke_api_key")(
  { workspaceId: text, id: text, reason: nullable(text) },
  (p) => `
    UPDATE api_key SET
      revoked_at = coalesce(revoked_at, byond_now()),
      revocation_reason = CASE WHEN revoked_at IS NULL THEN ${p.reason} ELSE revocation_reason END
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.id}
    RETURNING id`,
);

/**
 * Revokes a key for good. When it returns, no server accepts the key any more. Revoking it again changes nothing, and waits
 * for the same. Throws `not_found` if the workspace has no such key, and `invalid_api_key` if the session was ended meanwhile.
 */
export async function revokeApiKey(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  { id, reason }: { readonly id: string; readonly reason: string | undefined },
): Promise<void> {
  const change = async (transaction: Queryable) => {
    const rows = await transaction.run(revoke, { workspaceId: caller.workspaceId, id, reason: reason ?? null });
    if (rows.length === 0) {
      throw keyNotFound();
    }
  };
  await deps.revocation.revoke([keySubject(id)], change, { credential: credentialOf(caller) });
}
