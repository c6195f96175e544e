import { sql } from "kysely";
import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import type { Database, Queryable, QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { keySubject } from "../../revocation/revocation-subjects.ts";
import type { ApiKey } from "./api-key.entity.ts";
import { createSecret, type NewSecret } from "./create-api-key.ts";
import { getApiKey, requireActive } from "./get-api-key.ts";
import type { KeyTables } from "./key-tables.ts";

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

/** The time in `graceSeconds`, rounded up to a whole second: the answer says exactly what is enforced. */
const endOfGrace = (graceSeconds: number) =>
  sql<Date>`date_trunc('seconds', byond_now() + ${graceSeconds} * interval '1 second' + interval '999999 microseconds')`;

/**
 * Replaces a key's secret: earlier secrets end with the grace, and none gets more time than it had. Returns when the last of
 * them ends, or null if they ended at once.
 */
async function replaceSecret(
  transaction: QueryableTables,
  id: string,
  { prefix, secretHash }: NewSecret,
  graceSeconds: number,
): Promise<Date | null> {
  await transaction.query((tables: KeyTables) =>
    tables.deleteFrom("api_key_secret").where("keyId", "=", id).where("validUntil", "<=", databaseTime),
  );
  // All that are left have not ended.
  const retired = await transaction.query((tables: KeyTables) =>
    tables
      .updateTable("api_key_secret")
      .set({
        validUntil: sql<Date>`least(valid_until, ${graceSeconds === 0 ? databaseTime : endOfGrace(graceSeconds)})`,
      })
      .where("keyId", "=", id)
      .returning("validUntil"),
  );
  await transaction.query((tables: KeyTables) =>
    tables.insertInto("api_key_secret").values({ prefix, keyId: id, secretHash }),
  );
  await transaction.query((tables: KeyTables) => tables.updateTable("api_key").set({ prefix }).where("id", "=", id));
  const ends = retired.map(({ validUntil }) => Number(validUntil));
  return graceSeconds === 0 || ends.length === 0 ? null : new Date(Math.max(...ends));
}

/**
 * Gives a key a new secret, under a new prefix. When it returns, every server knows the new secret and how long the old ones
 * work. Throws `not_found` if the workspace has no such key, or it was revoked or has expired, and `invalid_api_key` if the
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
  const secret = await createSecret(deps, { mode: before.mode, isPublishable: before.origins != null });
  const change = async (transaction: QueryableTables) => {
    await requireActive(transaction, { workspaceId, id });
    const previousKeyExpiresAt = await replaceSecret(transaction, id, secret, graceSeconds);
    const rotated = { ...before, prefix: secret.prefix, key: secret.key, previousKeyExpiresAt };
    await beforeCommit(transaction, rotated);
    return rotated;
  };
  return deps.revocation.revoke([keySubject(id)], change, { credential: credentialOf(caller) });
}
