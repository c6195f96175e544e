import { type Caller, credentialOf } from "../../access/caller.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { lockWebhook, type WebhookReference } from "./get-webhook.ts";
import { replaceSecret } from "./webhook-secrets.ts";

/** A new secret of an endpoint. The only moment at which it is known. */
export interface RotatedSecret {
  readonly id: string;
  readonly secret: string;
  /** Null: the earlier secrets sign no more. */
  readonly previousEndsAt: Date | null;
}

/**
 * Gives an endpoint a new secret. Earlier ones sign until the grace is over. Throws `not_found` if the workspace has no such endpoint
 * in this mode, and `invalid_api_key` if the credential no longer holds. `beforeCommit` runs last in the transaction.
 */
export async function rotateWebhookSecret(
  deps: { readonly database: Database; readonly keyring: Keyring },
  caller: Caller,
  { graceSeconds, ...reference }: WebhookReference & { readonly graceSeconds: number },
  beforeCommit: (transaction: Queryable, rotated: RotatedSecret) => Promise<void>,
): Promise<RotatedSecret> {
  return deps.database.transaction(async (transaction) => {
    await lockWebhook(transaction, reference);
    const replaced = await replaceSecret(transaction, deps.keyring, reference.id, graceSeconds);
    const rotated = { id: reference.id, ...replaced };
    await lockCredential(transaction, credentialOf(caller));
    await beforeCommit(transaction, rotated);
    return rotated;
  });
}
