import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { integer, statement, text } from "../../database/statement.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { keySubject } from "../../revocation/revocation-subjects.ts";
import type { ApiKey } from "./api-key.entity.ts";
import { createSecret } from "./create-api-key.ts";
import { activeKeyNotFound, getApiKey, isActive } from "./get-api-key.ts";

export interface RotateInput {
  readonly id: string;
  /** How long the old secret works on. */
  readonly graceSeconds: number;
}

/** A key with a new secret. The only moment at which the whole new key is known. */
export interface RotatedApiKey extends ApiKey {
  readonly key: string;
  /** Null: the old secret stopped working at once. */
  readonly previousKeyExpiresAt: Date | null;
}

/** A statement of its own: the next one has to see what a rotation at the same moment has committed. */
const lock = statement<{ id: string }>("lock_api_key")(
  { workspaceId: text, id: text },
  (p) => `SELECT id FROM api_key WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND ${isActive} FOR UPDATE`,
);

/** No secret gets more time than it had. The end of a grace is in whole seconds: what is answered is what is enforced. */
const rotate = statement<{ validUntil: Date | null }>("rotate_api_key")(
  { id: text, prefix: text, secretHash: text, graceSeconds: integer },
  (p) => `
    WITH swept AS (
      DELETE FROM api_key_secret WHERE key_id = ${p.id} AND valid_until <= byond_now()
    ), retired AS (
      UPDATE api_key_secret SET valid_until = least(valid_until, CASE
        WHEN ${p.graceSeconds} = 0 THEN byond_now()
        ELSE date_trunc('seconds', byond_now() + ${p.graceSeconds} * interval '1 second' + interval '999999 microseconds')
      END)
      WHERE key_id = ${p.id} AND (valid_until IS NULL OR valid_until > byond_now())
      RETURNING valid_until
    ), added AS (
      INSERT INTO api_key_secret (prefix, key_id, secret_hash) VALUES (${p.prefix}, ${p.id}, ${p.secretHash})
    ), renamed AS (
      UPDATE api_key SET prefix = ${p.prefix} WHERE id = ${p.id}
    )
    SELECT max(valid_until) AS valid_until FROM retired`,
);

/**
 * Gives a key a new secret, under a new prefix. When it returns, every server knows the new one and for how long the old
 * ones work. Throws `not_found` if the workspace has no such key, or it was revoked or has expired, and `invalid_api_key` if the
 * session was ended meanwhile. `beforeCommit` runs last in the transaction.
 */
export async function rotateApiKey(
  deps: {
    readonly database: Database;
    readonly keyHasher: Hasher;
    readonly tagKey: Buffer;
    readonly revocation: Pick<RevocationService, "revoke">;
  },
  caller: SessionCaller,
  { id, graceSeconds }: RotateInput,
  beforeCommit: (transaction: Queryable, rotated: RotatedApiKey) => Promise<void>,
): Promise<RotatedApiKey> {
  const { workspaceId } = caller;
  const before = await getApiKey(deps, { workspaceId, id });
  const { key, prefix, secretHash } = await createSecret(deps, before.mode);
  const change = async (transaction: Queryable) => {
    if ((await transaction.run(lock, { workspaceId, id })).length === 0) {
      throw activeKeyNotFound();
    }
    const [row] = await transaction.run(rotate, { id, prefix, secretHash, graceSeconds });
    const previousKeyExpiresAt = graceSeconds === 0 ? null : (row?.validUntil ?? null);
    const rotated = { ...before, prefix, key, previousKeyExpiresAt };
    await beforeCommit(transaction, rotated);
    return rotated;
  };
  return deps.revocation.revoke([keySubject(id)], change, { credential: credentialOf(caller) });
}
