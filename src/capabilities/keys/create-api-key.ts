import { sql } from "kysely";
import { credentialOf, type Mode, type SessionCaller } from "../../access/caller.ts";
import { normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import { normalizeOrigins, publishableScopes } from "../../access/publishable-keys.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import { createId } from "../../crypto/ids.ts";
import type { Database, Queryable, QueryableTables } from "../../database/database.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { generateKey, generatePublishableKey } from "./key-format.ts";
import { expiresLater, expiryProblem, type Restrictions, storedExpiry, unrestricted } from "./key-restrictions.ts";
import type { KeyTables } from "./key-tables.ts";

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
  const secret = await createSecret(deps, { mode: input.mode, isPublishable: input.origins != null });
  return deps.database.transaction(async (transaction) => {
    const created = await insertApiKey(transaction, secret, { ...input, workspaceId: creator.workspaceId, creator });
    await lockCredential(transaction, credentialOf(creator));
    await beforeCommit(transaction, created);
    return created;
  });
}

export interface NewApiKey extends Partial<Restrictions> {
  readonly workspaceId: string;
  /** The user who asks for it. Undefined: the server itself. */
  readonly creator?: Pick<SessionCaller, "userId">;
  readonly name: string;
  readonly mode: Mode;
}

/** A key that was just made. The only moment at which the whole key is known. */
export interface CreatedApiKey extends Restrictions {
  readonly id: string;
  readonly name: string;
  readonly mode: Mode;
  readonly createdBy: string | null;
  readonly prefix: string;
  readonly key: string;
  readonly createdAt: Date;
}

/** Stores a key with its secret's hash. Throws `validation_error` if it would have expired already. */
export async function insertApiKey(
  transaction: QueryableTables,
  { key, prefix, secretHash }: NewSecret,
  { workspaceId, creator, name, mode, ...given }: NewApiKey,
): Promise<CreatedApiKey> {
  const restrictions = { ...unrestricted, ...given };
  const { expiresAt } = restrictions;
  const origins = restrictions.origins && normalizeOrigins(restrictions.origins, "origins");
  const scopes = origins === null ? restrictions.scopes : publishableScopes;
  const ipAllowlist = restrictions.ipAllowlist && normalizeIpAllowlist(restrictions.ipAllowlist, "ip_allowlist");
  const identity = { id: createId("key"), name, mode, createdBy: creator?.userId ?? null, prefix };
  const [created] = await transaction.query((tables: KeyTables) =>
    tables
      .insertInto("api_key")
      .values({
        ...identity,
        ...restrictions,
        workspaceId,
        scopes: scopes && [...scopes],
        ipAllowlist: ipAllowlist && [...ipAllowlist],
        origins: origins && [...origins],
        expiresAt: expiresAt && storedExpiry(expiresAt),
        createdAt: sql<Date>`date_trunc('milliseconds', byond_now())`,
      })
      .returning(["createdAt", "expiresAt", expiresLater]),
  );
  if (created === undefined) {
    throw new TypeError("the INSERT of a key returned no row");
  }
  if (created.expiresLater === false) {
    throw expiryProblem("expires_at");
  }
  await transaction.query((tables: KeyTables) =>
    tables.insertInto("api_key_secret").values({ prefix, keyId: identity.id, secretHash }),
  );
  const { createdAt } = created;
  return { ...restrictions, ...identity, scopes, ipAllowlist, origins, createdAt, expiresAt: created.expiresAt, key };
}

/** A secret that no key has yet. */
export interface NewSecret {
  /** The whole key, which is shown once. Of a publishable key, it is the prefix. */
  readonly key: string;
  readonly prefix: string;
  /** Null: the key is publishable. */
  readonly secretHash: string | null;
}

/** Makes a secret. Hashing takes a while: call it before the transaction that stores the hash. */
export async function createSecret(
  deps: { readonly keyHasher: Hasher; readonly tagKey: Buffer },
  { mode, isPublishable }: { readonly mode: Mode; readonly isPublishable: boolean },
): Promise<NewSecret> {
  if (isPublishable) {
    const { key, prefix } = generatePublishableKey(mode, deps.tagKey);
    return { key, prefix, secretHash: null };
  }
  const { key, prefix } = generateKey(mode, deps.tagKey);
  return { key, prefix, secretHash: await deps.keyHasher.hash(key) };
}
