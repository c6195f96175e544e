import { type ApiKeyChanges, ApiKeyChangesSchema, type UpdateApiKeyRequest } from "../../../gen/byond/v1/api_key_pb.ts";
import { ipAllowlistProblems } from "../../access/ip-allowlist.ts";
import { problemOf } from "../../errors.ts";
import { truncatedDate } from "../../rpc/truncated-date.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { nameProblem } from "../../text/display-name-rules.ts";
import { signatureVersionOf } from "./api-key-messages.ts";
import { scopeProblems } from "./scope-problems.ts";
import type { KeyChanges } from "./update-api-key.ts";

/** The changes that a request names, as the operation takes them. */
export function keyChangesOf(request: UpdateApiKeyRequest): KeyChanges {
  const changes = namedChanges(updateOf(request));
  const { name, scopes, ipAllowlist, requestsPerMinute, expiresAt } = changes;
  return {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes: scopes.scopes }),
    ...(ipAllowlist !== undefined && { ipAllowlist: ipAllowlist.ranges }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(expiresAt !== undefined && { expiresAt: truncatedDate(expiresAt) }),
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
