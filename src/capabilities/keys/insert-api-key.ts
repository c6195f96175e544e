import type { Mode, SessionCaller } from "../../access/caller.ts";
import { normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import { createId } from "../../crypto/ids.ts";
import type { Queryable } from "../../database/database.ts";
import type { NewSecret } from "./new-secret.ts";
import { expiryProblem, type Restrictions, unrestricted } from "./restrictions.ts";

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

const insert = {
  name: "insert_api_key",
  text: `
    WITH created AS (
      INSERT INTO api_key (
        id, workspace_id, prefix, name, mode, scopes, ip_allowlist, requests_per_minute, require_signature,
        min_signature_version, created_by, expires_at, created_at
      )
      SELECT $1, $2, $3, $5, $6, $7, $8, $9, $10, $13, $11, expires_at, date_trunc('milliseconds', byond_now())
      FROM date_trunc('seconds', $12::timestamptz) AS expires_at
      WHERE expires_at IS NULL OR expires_at > byond_now()
      RETURNING id, prefix, created_at, expires_at
    ), secret AS (
      INSERT INTO api_key_secret (prefix, key_id, secret_hash) SELECT prefix, id, $4 FROM created
    )
    SELECT created_at, expires_at FROM created`,
};

interface Row {
  readonly created_at: Date;
  readonly expires_at: Date | null;
}

/** Stores a key with its secret's hash. Throws `validation_error` if it would have expired already. */
export async function insertApiKey(
  transaction: Queryable,
  { key, prefix, secretHash }: NewSecret,
  { workspaceId, creator, name, mode, ...given }: NewApiKey,
): Promise<CreatedApiKey> {
  const restrictions = { ...unrestricted, ...given };
  const ipAllowlist = restrictions.ipAllowlist && normalizeIpAllowlist(restrictions.ipAllowlist, "ip_allowlist");
  const id = createId("key");
  const [row] = await transaction.query<Row & Record<string, unknown>>(insert, [
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
    creator?.userId ?? null,
    restrictions.expiresAt,
    restrictions.minSignatureVersion,
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
    createdBy: creator?.userId ?? null,
    prefix,
    key,
    createdAt,
  };
}
