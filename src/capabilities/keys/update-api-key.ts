import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import { normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import type { Database, Queryable } from "../../database/database.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { keySubject } from "../../revocation/revocation-subjects.ts";
import type { ApiKey } from "./api-key.entity.ts";
import { activeKeyNotFound, getApiKey, isActive } from "./get-api-key.ts";
import { expiryProblem, type Restrictions } from "./restrictions.ts";

/** What is to be from now on. What is left out stays as it is, and nothing becomes null. */
export type KeyChanges = {
  readonly [Field in "name" | keyof Restrictions]?: Field extends keyof Restrictions
    ? NonNullable<Restrictions[Field]>
    : string;
};

const update = {
  name: "update_api_key",
  text: `
    WITH target AS (
      SELECT id FROM api_key WHERE workspace_id = $1 AND id = $2 AND ${isActive} FOR UPDATE
    ), updated AS (
      UPDATE api_key SET
        name = coalesce($3, name),
        scopes = coalesce($4, scopes),
        ip_allowlist = coalesce($5, ip_allowlist),
        requests_per_minute = coalesce($6, requests_per_minute),
        require_signature = coalesce($7, require_signature),
        min_signature_version = coalesce($9, min_signature_version),
        expires_at = coalesce(date_trunc('seconds', $8::timestamptz), expires_at),
        revision = revision + (num_nonnulls($4::text[], $5::text[], $7::boolean, $8::timestamptz) > 0)::integer
      FROM target
      WHERE api_key.id = target.id
        AND ($8::timestamptz IS NULL OR date_trunc('seconds', $8::timestamptz) > byond_now())
      RETURNING api_key.id
    )
    SELECT EXISTS (SELECT FROM target) AS is_found, EXISTS (SELECT FROM updated) AS is_updated`,
};

/**
 * Changes a key. When it returns, every server goes by what it is now, for calls under way too. Throws `not_found` if the
 * workspace has no such key, or it was revoked or has expired, `validation_error` if it would have expired already, and
 * `invalid_api_key` if the session was ended meanwhile.
 */
export async function updateApiKey(
  deps: { readonly database: Database; readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  id: string,
  changes: KeyChanges,
): Promise<ApiKey> {
  const ipAllowlist = changes.ipAllowlist && normalizeIpAllowlist(changes.ipAllowlist, "api_key.ip_allowlist");
  const { workspaceId } = caller;
  const change = async (transaction: Queryable) => {
    const [row] = await transaction.query<{ is_found: boolean; is_updated: boolean }>(update, [
      workspaceId,
      id,
      changes.name ?? null,
      changes.scopes ?? null,
      ipAllowlist ?? null,
      changes.requestsPerMinute ?? null,
      changes.requireSignature ?? null,
      changes.expiresAt ?? null,
      changes.minSignatureVersion ?? null,
    ]);
    if (row?.is_found !== true) {
      throw activeKeyNotFound();
    }
    if (!row.is_updated) {
      throw expiryProblem("api_key.expires_at");
    }
  };
  await deps.revocation.revoke([keySubject(id)], change, { credential: credentialOf(caller) });
  return getApiKey(deps, { workspaceId, id });
}
