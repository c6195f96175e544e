import { ApiKeyChangesSchema, type UpdateApiKeyRequest } from "../../gen/byond/v1/api_key_pb.ts";
import { ipAllowlistProblems } from "../rpc/access/ip-allowlist.ts";
import { timestampDate } from "../rpc/timestamp-date.ts";
import { namedChanges, updateMaskProblems } from "../rpc/update-mask.ts";
import type { KeyChanges } from "./update-api-key.ts";

/** The changes that a request names, as the operation takes them. */
export function keyChangesOf(request: UpdateApiKeyRequest): KeyChanges {
  const { name, scopes, ipAllowlist, requestsPerMinute, expiresAt, requireSignature } = namedChanges(updateOf(request));
  return {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes: scopes.scopes }),
    ...(ipAllowlist !== undefined && { ipAllowlist: ipAllowlist.ranges }),
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(expiresAt !== undefined && { expiresAt: timestampDate(expiresAt) }),
    ...(requireSignature !== undefined && { requireSignature }),
  };
}

/** What is wrong with the changes, beyond what the schema says. A restriction is lifted by saying what is allowed. */
export function keyChangesProblems(request: UpdateApiKeyRequest): Record<string, string> {
  const ranges = request.apiKey?.ipAllowlist?.ranges;
  return {
    ...updateMaskProblems(updateOf(request), "api_key", {
      scopes: 'to allow everything, write ["*"]',
      ip_allowlist: 'to allow every address, write ["0.0.0.0/0", "::/0"]',
    }),
    ...(ranges === undefined ? {} : ipAllowlistProblems(ranges, "api_key.ip_allowlist")),
  };
}

function updateOf({ apiKey, updateMask }: UpdateApiKeyRequest) {
  return { schema: ApiKeyChangesSchema, changes: apiKey, mask: updateMask };
}
