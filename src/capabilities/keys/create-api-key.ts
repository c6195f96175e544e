import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { type CreatedApiKey, insertApiKey, type NewApiKey } from "./insert-api-key.ts";
import { createSecret } from "./new-secret.ts";

/**
 * Makes a key for a workspace's user. Throws `validation_error` if it would have expired already, and `invalid_api_key` if the
 * session was ended meanwhile. `beforeCommit` runs last in the transaction.
 */
export async function createApiKey(
  deps: { readonly database: Database; readonly keyHasher: Hasher; readonly tagKey: Buffer },
  creator: SessionCaller,
  input: Omit<NewApiKey, "workspaceId" | "creator">,
  beforeCommit: (transaction: Queryable, created: CreatedApiKey) => Promise<void>,
): Promise<CreatedApiKey> {
  const secret = await createSecret(deps, input.mode);
  return deps.database.transaction(async (transaction) => {
    const created = await insertApiKey(transaction, secret, { ...input, workspaceId: creator.workspaceId, creator });
    await lockCredential(transaction, credentialOf(creator));
    await beforeCommit(transaction, created);
    return created;
  });
}
