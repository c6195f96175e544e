import { type ApiKeyChanges, ApiKeyChangesSchema, type UpdateApiKeyRequest } from "../../../gen/byond/v1/api_key_pb.ts";
import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import { ipAllowlistProblems, normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import { normalizeOrigins, originProblems } from "../../access/publishable-keys.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import { invalidFields, problemOf } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { keySubject } from "../../revocation/revocation-subjects.ts";
import { timestampToDate } from "../../rpc/timestamp-to-date.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { nameProblem } from "../../text/display-name-rules.ts";
import type { ApiKey } from "./api-key.entity.ts";
import { signatureVersionOf } from "./api-key-proto.ts";
import { getApiKey, requireActive } from "./get-api-key.ts";
import { expiresLater, expiryProblem, type Restrictions, storedExpiry } from "./key-restrictions.ts";
import type { KeyTables } from "./key-tables.ts";

/** New values. Fields that are left out stay as they are; none becomes null. */
export type KeyChanges = {
  readonly [Field in "name" | keyof Restrictions]?: Field extends keyof Restrictions
    ? NonNullable<Restrictions[Field]>
    : string;
};

/**
 * Changes a key. When it returns, the change holds on every server, for calls in flight too. Throws `not_found` if the
 * workspace has no such key, or it was revoked or has expired, `validation_error` if its new expiry is not in the future,
 * and `invalid_api_key` if the session was ended meanwhile.
 */
export async function updateApiKey(
  deps: { readonly database: Database; readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  id: string,
  changes: KeyChanges,
): Promise<ApiKey> {
  const ipAllowlist = changes.ipAllowlist && normalizeIpAllowlist(changes.ipAllowlist, "api_key.ip_allowlist");
  const origins = changes.origins && normalizeOrigins(changes.origins, "api_key.origins");
  const { workspaceId } = caller;
  const { name, scopes, requestsPerMinute, requireSignature, minSignatureVersion, expiresAt } = changes;
  const decidesAdmission = [scopes, ipAllowlist, origins, requireSignature, expiresAt].some(
    (value) => value !== undefined,
  );
  const change = async (transaction: QueryableTables) => {
    requireFitting(await requireActive(transaction, { workspaceId, id }), changes);
    const [updated] = await transaction.query((tables: KeyTables) =>
      tables
        .updateTable("api_key")
        .set((eb) => ({
          name,
          scopes: scopes && [...scopes],
          ipAllowlist: ipAllowlist && [...ipAllowlist],
          origins: origins && [...origins],
          requestsPerMinute,
          requireSignature,
          minSignatureVersion,
          expiresAt: expiresAt && storedExpiry(expiresAt),
          revision: eb("revision", "+", decidesAdmission ? 1 : 0),
        }))
        .where("workspaceId", "=", workspaceId)
        .where("id", "=", id)
        .returning(expiresLater),
    );
    if (expiresAt !== undefined && updated?.expiresLater === false) {
      throw expiryProblem("api_key.expires_at");
    }
  };
  await deps.revocation.revoke([keySubject(id)], change, { credential: credentialOf(caller) });
  // The change is committed: its answer does not depend on the deadline any more.
  return withoutDeadline(() => getApiKey(deps, { workspaceId, id }));
}

/** Throws `validation_error` for changes that a key of the kind does not have. */
function requireFitting({ isPublishable }: { readonly isPublishable: boolean }, changes: KeyChanges): void {
  const problems = isPublishable
    ? secretKeyProblems(changes, "api_key.")
    : problemOf("api_key.origins", changes.origins && "must be left out, because the key is not publishable");
  if (Object.keys(problems).length > 0) {
    throw invalidFields(problems);
  }
}

/** Problems of what only a secret key can have, given for a publishable one. `path`: where the fields are in the request. */
export function secretKeyProblems(
  given: {
    readonly scopes?: unknown;
    readonly requireSignature?: boolean | undefined;
    readonly minSignatureVersion?: unknown;
  },
  path: string,
): Record<string, string> {
  const problem = "must be left out, because the key is publishable";
  return {
    ...problemOf(`${path}scopes`, given.scopes === undefined ? undefined : problem),
    ...problemOf(`${path}require_signature`, given.requireSignature === true ? problem : undefined),
    ...problemOf(`${path}min_signature_version`, given.minSignatureVersion === undefined ? undefined : problem),
  };
}

/** The changes that a request names, as the operation takes them. */
export function keyChangesOf(request: UpdateApiKeyRequest): KeyChanges {
  const changes = namedChanges(updateOf(request));
  const { name, scopes, ipAllowlist, origins, requestsPerMinute, expiresAt } = changes;
  return {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes: scopes.scopes }),
    ...(ipAllowlist !== undefined && { ipAllowlist: ipAllowlist.ranges }),
    ...(origins !== undefined && { origins: origins.origins }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(expiresAt !== undefined && { expiresAt: timestampToDate(expiresAt) }),
    ...requiredSignature(changes),
  };
}

/** The meaning of `require_signature` and `min_signature_version` together: naming a version requires a signature. */
export function requiredSignature({
  requireSignature,
  minSignatureVersion,
}: Pick<ApiKeyChanges, "requireSignature" | "minSignatureVersion">): Pick<
  KeyChanges,
  "requireSignature" | "minSignatureVersion"
> {
  const version = signatureVersionOf(minSignatureVersion);
  if (version !== undefined) {
    return { requireSignature: true, minSignatureVersion: version };
  }
  if (requireSignature === undefined) {
    return {};
  }
  // Lifted together: a key that requires signatures again later starts from v1.
  return requireSignature ? { requireSignature } : { requireSignature, minSignatureVersion: "v1" };
}

/**
 * Problems of the changes that the schema cannot express. A restriction is lifted by naming everything as allowed. `known`
 * are the scopes that a key can be given.
 */
export function keyChangesProblems(request: UpdateApiKeyRequest, known: readonly string[]): Record<string, string> {
  const { name, scopes, ipAllowlist, origins } = request.apiKey ?? {};
  const ranges = ipAllowlist?.ranges;
  const { requireSignature, minSignatureVersion } = namedChanges(updateOf(request));
  return {
    ...updateMaskProblems(updateOf(request), "api_key", {
      min_signature_version: 'to require no signature, write "require_signature": false',
      scopes: 'to allow everything, write ["*"]',
      ip_allowlist: 'to allow every address, write ["0.0.0.0/0", "::/0"]',
      origins: "a publishable key does not become a secret one",
    }),
    ...problemOf("api_key.name", name === undefined ? undefined : nameProblem(name)),
    ...scopeProblems(scopes?.scopes ?? [], known, "api_key.scopes"),
    ...(ranges === undefined ? {} : ipAllowlistProblems(ranges, "api_key.ip_allowlist")),
    ...(origins === undefined ? {} : originProblems(origins.origins, "api_key.origins")),
    ...(requireSignature === false && minSignatureVersion !== undefined
      ? { "api_key.min_signature_version": "must not be given together with require_signature: false" }
      : {}),
  };
}

function updateOf({ apiKey, updateMask }: UpdateApiKeyRequest) {
  return { schema: ApiKeyChangesSchema, changes: apiKey, mask: updateMask };
}

/** Problems of the scopes of a key, by their paths (`scopes[1]`). `known` are the scopes that a key can be given. */
export function scopeProblems(
  scopes: readonly string[],
  known: readonly string[],
  field: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    scopes.flatMap((scope, index) =>
      known.includes(scope) ? [] : [[`${field}[${index}]`, `must be one of: ${known.join(", ")}`]],
    ),
  );
}
