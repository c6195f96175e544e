import type { Queryable } from "../database/database.ts";
import type { Hasher } from "../hashing.ts";
import { createId } from "../ids.ts";
import type { Mode } from "../rpc/caller.ts";
import { normalizeIpAllowlist } from "../rpc/ip-allowlist.ts";
import { generateKey } from "./key-format.ts";
import { expiryProblem, type Restrictions, unrestricted } from "./restrictions.ts";

export interface CreateApiKeyInput extends Partial<Restrictions> {
  readonly workspaceId: string;
  /** The user's id. Undefined: the server itself. */
  readonly createdBy?: string;
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

const insertApiKey = {
  name: "insert_api_key",
  text: `
    WITH created AS (
      INSERT INTO api_key (
        id, workspace_id, prefix, name, mode, scopes, ip_allowlist, requests_per_minute, require_signature, created_by,
        expires_at, created_at
      )
      SELECT $1, $2, $3, $5, $6, $7, $8, $9, $10, $11, expires_at, date_trunc('milliseconds', byond_now())
      FROM date_trunc('seconds', $12::timestamptz) AS expires_at
      WHERE expires_at IS NULL OR expires_at > byond_now()
      RETURNING id, prefix, created_at, expires_at
    ), secret AS (
      INSERT INTO api_key_secret (prefix, key_id, secret_hash) SELECT prefix, id, $4 FROM created
    )
    SELECT created_at, expires_at FROM created`,
};

/** Mints a key and stores its hash. Throws `validation_error` if it would have expired already. */
export async function createApiKey(
  deps: { readonly database: Queryable; readonly keyHasher: Hasher; readonly tagKey: Buffer },
  { workspaceId, createdBy, name, mode, ...given }: CreateApiKeyInput,
): Promise<CreatedApiKey> {
  const restrictions = { ...unrestricted, ...given };
  const ipAllowlist = restrictions.ipAllowlist && normalizeIpAllowlist(restrictions.ipAllowlist, "ip_allowlist");
  const id = createId("key");
  const { key, prefix } = generateKey(mode, deps.tagKey);
  const secretHash = await deps.keyHasher.hash(key);
  const [row] = await deps.database.query<{ created_at: Date; expires_at: Date | null }>(insertApiKey, [
    id,
    workspaceId,
    prefix,
    secretHash,
    name,
    mode,
    restrictions.scopes,
    ipAllowlist,
    restrictions.requestsPerMinute,
    restrictions.requireSignature,
    createdBy ?? null,
    restrictions.expiresAt,
  ]);
  if (row === undefined) {
    throw expiryProblem("expires_at");
  }
  const { created_at: createdAt, expires_at: expiresAt } = row;
  return {
    ...restrictions,
    ipAllowlist,
    expiresAt,
    id,
    name,
    mode,
    createdBy: createdBy ?? null,
    prefix,
    key,
    createdAt,
  };
}
