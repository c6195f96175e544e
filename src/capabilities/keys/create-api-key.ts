import { credentialOf, type Mode, type SessionCaller } from "../../access/caller.ts";
import { normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import { createId } from "../../crypto/ids.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { array, boolean, integer, nullable, statement, text, timestamptz } from "../../database/statement.ts";
import { lockCredential } from "../../revocation/held-credential.ts";
import { generateKey } from "./key-format.ts";
import { expiryProblem, type Restrictions, unrestricted } from "./key-restrictions.ts";

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

const insert = statement<Pick<CreatedApiKey, "createdAt" | "expiresAt">>("insert_api_key")(
  {
    id: text,
    workspaceId: text,
    prefix: text,
    secretHash: text,
    name: text,
    mode: text,
    scopes: nullable(array(text)),
    ipAllowlist: nullable(array(text)),
    requestsPerMinute: nullable(integer),
    requireSignature: boolean,
    minSignatureVersion: text,
    createdBy: nullable(text),
    expiresAt: nullable(timestamptz),
  },
  (p) => `
    WITH created AS (
      INSERT INTO api_key (
        id, workspace_id, prefix, name, mode, scopes, ip_allowlist, requests_per_minute, require_signature,
        min_signature_version, created_by, expires_at, created_at
      )
      SELECT
        ${p.id}, ${p.workspaceId}, ${p.prefix}, ${p.name}, ${p.mode}, ${p.scopes}, ${p.ipAllowlist}, ${p.requestsPerMinute},
        ${p.requireSignature}, ${p.minSignatureVersion}, ${p.createdBy}, expires_at, date_trunc('milliseconds', byond_now())
      FROM date_trunc('seconds', ${p.expiresAt}) AS expires_at
      WHERE expires_at IS NULL OR expires_at > byond_now()
      RETURNING id, prefix, created_at, expires_at
    ), secret AS (
      INSERT INTO api_key_secret (prefix, key_id, secret_hash) SELECT prefix, id, ${p.secretHash} FROM created
    )
    SELECT created_at, expires_at FROM created`,
);

/** Stores a key with its secret's hash. Throws `validation_error` if it would have expired already. */
export async function insertApiKey(
  transaction: Queryable,
  { key, prefix, secretHash }: NewSecret,
  { workspaceId, creator, name, mode, ...given }: NewApiKey,
): Promise<CreatedApiKey> {
  const restrictions = { ...unrestricted, ...given };
  const ipAllowlist = restrictions.ipAllowlist && normalizeIpAllowlist(restrictions.ipAllowlist, "ip_allowlist");
  const identity = { id: createId("key"), name, mode, createdBy: creator?.userId ?? null, prefix };
  const values = { ...restrictions, ...identity, ipAllowlist, workspaceId, secretHash };
  const [row] = await transaction.run(insert, values);
  if (row === undefined) {
    throw expiryProblem("expires_at");
  }
  return { ...restrictions, ...identity, ipAllowlist, ...row, key };
}

/** A secret that no key has yet. */
export interface NewSecret {
  /** The whole key, which is shown once. */
  readonly key: string;
  readonly prefix: string;
  readonly secretHash: string;
}

/** Makes a secret. Hashing takes a while: call it before the transaction that stores the hash. */
export async function createSecret(
  deps: { readonly keyHasher: Hasher; readonly tagKey: Buffer },
  mode: Mode,
): Promise<NewSecret> {
  const { key, prefix } = generateKey(mode, deps.tagKey);
  return { key, prefix, secretHash: await deps.keyHasher.hash(key) };
}
