import { type ApiKeyChanges, ApiKeyChangesSchema, type UpdateApiKeyRequest } from "../../../gen/byond/v1/api_key_pb.ts";
import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import { ipAllowlistProblems, normalizeIpAllowlist } from "../../access/ip-allowlist.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import { problemOf } from "../../errors.ts";
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

/** What is to be from now on. What is left out stays as it is, and nothing becomes null. */
export type KeyChanges = {
  readonly [Field in "name" | keyof Restrictions]?: Field extends keyof Restrictions
    ? NonNullable<Restrictions[Field]>
    : string;
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
  const { name, scopes, requestsPerMinute, requireSignature, minSignatureVersion, expiresAt } = changes;
  const decidesAdmission = [scopes, ipAllowlist, requireSignature, expiresAt].some((value) => value !== undefined);
  const change = async (transaction: QueryableTables) => {
    await requireActive(transaction, { workspaceId, id });
    const [updated] = await transaction.query((tables: KeyTables) =>
      tables
        .updateTable("api_key")
        .set((eb) => ({
          name,
          scopes: scopes && [...scopes],
          ipAllowlist: ipAllowlist && [...ipAllowlist],
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
  // It is done: also who waits no longer is told so.
  return withoutDeadline(() => getApiKey(deps, { workspaceId, id }));
}

/** The changes that a request names, as the operation takes them. */
export function keyChangesOf(request: UpdateApiKeyRequest): KeyChanges {
  const changes = namedChanges(updateOf(request));
  const { name, scopes, ipAllowlist, requestsPerMinute, expiresAt } = changes;
  return {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes: scopes.scopes }),
    ...(ipAllowlist !== undefined && { ipAllowlist: ipAllowlist.ranges }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(expiresAt !== undefined && { expiresAt: timestampToDate(expiresAt) }),
    ...requiredSignature(changes),
  };
}

/** What `require_signature` and `min_signature_version` ask for together: naming a version requires it. */
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
  // Lifted together: whoever requires signatures again later starts from v1.
  return requireSignature ? { requireSignature } : { requireSignature, minSignatureVersion: "v1" };
}

/**
 * What is wrong with the changes, beyond what the schema says. A restriction is lifted by saying what is allowed. `known` are the
 * scopes that a key can be given.
 */
export function keyChangesProblems(request: UpdateApiKeyRequest, known: readonly string[]): Record<string, string> {
  const { name, scopes, ipAllowlist } = request.apiKey ?? {};
  const ranges = ipAllowlist?.ranges;
  const { requireSignature, minSignatureVersion } = namedChanges(updateOf(request));
  return {
    ...updateMaskProblems(updateOf(request), "api_key", {
      min_signature_version: 'to require no signature, write "require_signature": false',
      scopes: 'to allow everything, write ["*"]',
      ip_allowlist: 'to allow every address, write ["0.0.0.0/0", "::/0"]',
    }),
    ...problemOf("api_key.name", name === undefined ? undefined : nameProblem(name)),
    ...scopeProblems(scopes?.scopes ?? [], known, "api_key.scopes"),
    ...(ranges === undefined ? {} : ipAllowlistProblems(ranges, "api_key.ip_allowlist")),
    ...(requireSignature === false && minSignatureVersion !== undefined
      ? { "api_key.min_signature_version": "must not be given together with require_signature: false" }
      : {}),
  };
}

function updateOf({ apiKey, updateMask }: UpdateApiKeyRequest) {
  return { schema: ApiKeyChangesSchema, changes: apiKey, mask: updateMask };
}

/** What is wrong with the scopes of a key, by their paths (`scopes[1]`). `known` are those that a key can be given. */
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
