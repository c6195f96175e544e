import type { KeyCaller, Mode } from "../../access/caller.ts";
import { compileIpAllowlist } from "../../access/ip-allowlist.ts";
import type { SignatureVersion } from "../../access/signature.ts";
import type { Tier } from "../../access/tiers.ts";
import type { Clock } from "../../clock.ts";
import type { Queryable } from "../../database/database.ts";
import type { Loaded } from "../../revocation/credential-cache.ts";
import { keySubject, workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { Deadline } from "./key-expiry.ts";

/** What the database knows of one of a key's secrets. */
export interface StoredKey {
  /** Who calls, if the secret is right. */
  readonly caller: KeyCaller;
  /** argon2id, in PHC string format. */
  readonly secretHash: string;
  /** The key was revoked, or its workspace was shut down. */
  readonly isRevoked: boolean;
  /** When the key expires or the secret stops working. Undefined: never. */
  readonly deadline: Deadline | undefined;
}

const read = {
  name: "read_api_key",
  text: `
    SELECT
      api_key.id, api_key.mode, api_key.scopes, api_key.ip_allowlist, api_key.requests_per_minute,
      NOT EXISTS (
        SELECT FROM account WHERE account.workspace_id = workspace.id AND email_verified_at IS NULL
      ) AS is_verified,
      CASE WHEN api_key.require_signature THEN api_key.min_signature_version END AS required_signature,
      api_key.revision + workspace.revision AS revision,
      workspace.id AS workspace_id, workspace.name AS workspace_name, workspace.tier,
      workspace.ip_allowlist AS workspace_ip_allowlist,
      secret.secret_hash,
      api_key.revoked_at IS NOT NULL OR workspace.deactivated_at IS NOT NULL AS is_revoked,
      (extract(epoch FROM least(api_key.expires_at, secret.valid_until) - byond_now()) * 1000)::float8 AS ms_left
    FROM api_key_secret AS secret
      JOIN api_key ON api_key.id = secret.key_id
      JOIN workspace ON workspace.id = api_key.workspace_id
    WHERE secret.prefix = $1`,
};

interface Row {
  readonly id: string;
  readonly mode: Mode;
  readonly scopes: readonly string[] | null;
  readonly ip_allowlist: readonly string[] | null;
  readonly requests_per_minute: number | null;
  readonly is_verified: boolean;
  readonly required_signature: SignatureVersion | null;
  readonly revision: number;
  readonly workspace_id: string;
  readonly workspace_name: string;
  readonly tier: Tier;
  readonly workspace_ip_allowlist: readonly string[] | null;
  readonly secret_hash: string;
  readonly is_revoked: boolean;
  /** Null: without an end. */
  readonly ms_left: number | null;
}

/** Reads the key that has a secret with this prefix, in one statement. Undefined if there is none. */
export async function readStoredKey(
  deps: { readonly database: Queryable; readonly clock: Clock },
  prefix: string,
): Promise<Loaded<StoredKey> | undefined> {
  const deadlineIn = Deadline.measuredFrom(deps.clock);
  const [row] = await deps.database.query<Row & Record<string, unknown>>(read, [prefix]);
  if (row === undefined) {
    return undefined;
  }
  const allowlists = [row.ip_allowlist, row.workspace_ip_allowlist].filter((entries) => entries !== null);
  return {
    subjects: [keySubject(row.id), workspaceSubject(row.workspace_id)],
    record: {
      caller: {
        kind: "key",
        workspaceId: row.workspace_id,
        workspaceName: row.workspace_name,
        tier: row.tier,
        keyId: row.id,
        keyPrefix: prefix,
        mode: row.mode,
        scopes: row.scopes,
        ipAllowlists: allowlists.map(compileIpAllowlist),
        requestsPerMinute: row.requests_per_minute,
        isVerified: row.is_verified,
        requiredSignature: row.required_signature,
        revision: row.revision,
      },
      secretHash: row.secret_hash,
      isRevoked: row.is_revoked,
      deadline: row.ms_left === null ? undefined : deadlineIn(row.ms_left),
    },
  };
}
