import type { KeyCaller } from "../../access/caller.ts";
import { compileIpAllowlist } from "../../access/ip-allowlist.ts";
import type { Clock } from "../../clock.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { Loaded } from "../../revocation/credential-cache.ts";
import { keySubject, workspaceSubject } from "../../revocation/revocation-subjects.ts";
import { KeyExpiry } from "./key-expiry.ts";
import type { KeySettings } from "./key-settings.ts";

/** One of a key's secrets, as it is stored. */
export interface StoredKey {
  /** The caller, if the secret is right. */
  readonly caller: KeyCaller;
  /** argon2id, in PHC string format. Null: the key is publishable, and its prefix is all of it. */
  readonly secretHash: string | null;
  /** The key was revoked, or its workspace was shut down. */
  readonly isRevoked: boolean;
  /** When the key expires or the secret stops working. Undefined: never. */
  readonly expiry: KeyExpiry | undefined;
}

const read = statement<Row>("read_api_key")(
  { prefix: text },
  (p) => `
    SELECT
      api_key.id, api_key.mode, api_key.scopes, api_key.ip_allowlist, api_key.origins, api_key.requests_per_minute,
      NOT EXISTS (
        SELECT FROM account WHERE account.workspace_id = workspace.id AND email_verified_at IS NULL OFFSET 0
      ) AS is_verified,
      CASE WHEN api_key.require_signature THEN api_key.min_signature_version END AS required_signature,
      api_key.revision + workspace.revision AS revision,
      workspace.id AS workspace_id, workspace.name AS workspace_name, workspace.tier,
      workspace.lookup_history, workspace.ip_allowlist AS workspace_ip_allowlist,
      secret.secret_hash,
      api_key.revoked_at IS NOT NULL OR workspace.deactivated_at IS NOT NULL AS is_revoked,
      (extract(epoch FROM least(api_key.expires_at, secret.valid_until) - byond_now()) * 1000)::float8 AS ms_left
    FROM api_key_secret AS secret,
      LATERAL (SELECT * FROM api_key WHERE id = secret.key_id OFFSET 0) AS api_key,
      LATERAL (SELECT * FROM workspace WHERE id = api_key.workspace_id OFFSET 0) AS workspace
    WHERE secret.prefix = ${p.prefix}`,
);

interface Row extends Omit<KeyCaller, "kind" | "keyId" | "keyPrefix" | "ipAllowlists" | "signature"> {
  readonly id: string;
  readonly ipAllowlist: readonly string[] | null;
  readonly workspaceIpAllowlist: readonly string[] | null;
  readonly secretHash: string | null;
  readonly isRevoked: boolean;
  /** Null: without an end. */
  readonly msLeft: number | null;
}

/** Reads the key that has a secret with this prefix, in one statement. Undefined if there is none. */
export async function readStoredKey(
  deps: { readonly database: Queryable; readonly clock: Clock } & KeySettings,
  prefix: string,
): Promise<Loaded<StoredKey> | undefined> {
  const expiryIn = KeyExpiry.measuredFrom(deps.clock);
  const [row] = await deps.database.run(read, { prefix });
  if (row === undefined) {
    return undefined;
  }
  const { id: keyId, ipAllowlist, workspaceIpAllowlist, secretHash, isRevoked, msLeft, ...caller } = row;
  // A publishable key has the limit of its kind instead (`publishableRequestsPerMinute`).
  const defaultLimit = caller.origins === null ? deps.keyRequestsPerMinute : undefined;
  const requestsPerMinute = caller.requestsPerMinute ?? defaultLimit ?? null;
  const ipAllowlists = [ipAllowlist, workspaceIpAllowlist]
    .filter((entries) => entries !== null)
    .map(compileIpAllowlist);
  return {
    subjects: [keySubject(keyId), workspaceSubject(caller.workspaceId)],
    record: {
      caller: { kind: "key", ...caller, requestsPerMinute, keyId, keyPrefix: prefix, ipAllowlists },
      secretHash,
      isRevoked,
      expiry: msLeft === null ? undefined : expiryIn(msLeft),
    },
  };
}
