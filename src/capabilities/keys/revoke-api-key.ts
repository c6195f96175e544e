import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { keySubject } from "../../revocation/revocation-subjects.ts";
import { keyNotFound } from "./get-api-key.ts";
import type { KeyTables } from "./key-tables.ts";

/**
 * Revokes a key for good. When it returns, no server accepts the key any more. Revoking it again changes nothing, and also
 * waits for that. Throws `not_found` if the workspace has no such key, and `invalid_api_key` if the session was ended
 * meanwhile.
 */
export async function revokeApiKey(
  deps: { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  { id, reason }: { readonly id: string; readonly reason: string | undefined },
): Promise<void> {
  const change = async (transaction: QueryableTables) => {
    const rows = await transaction.query((tables: KeyTables) =>
      tables
        .updateTable("api_key")
        .set((eb) => ({
          revokedAt: eb.fn.coalesce("revokedAt", databaseTime),
          revocationReason: eb
            .case()
            .when("revokedAt", "is", null)
            .then(reason ?? null)
            .else(eb.ref("revocationReason"))
            .end(),
        }))
        .where("workspaceId", "=", caller.workspaceId)
        .where("id", "=", id)
        .returning("id"),
    );
    if (rows.length === 0) {
      throw keyNotFound();
    }
  };
  await deps.revocation.revoke([keySubject(id)], change, { credential: credentialOf(caller) });
}
