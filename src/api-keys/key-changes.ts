import { isFieldSet } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ApiKeyChangesSchema, type UpdateApiKeyRequest } from "../../gen/byond/v1/api_key_pb.ts";
import { ipAllowlistProblems } from "./restrictions.ts";
import type { KeyChanges } from "./update-api-key.ts";

const changeable: ReadonlySet<string> = new Set(ApiKeyChangesSchema.fields.map((field) => field.name));

/** The changes that a request names, as the operation takes them. */
export function keyChangesOf({ apiKey, updateMask }: UpdateApiKeyRequest): KeyChanges {
  const isNamed = (field: string) => updateMask === undefined || updateMask.paths.includes(field);
  const { name, scopes, ipAllowlist, requestsPerMinute, expiresAt, requireSignature } = apiKey ?? {};
  return {
    ...(name !== undefined && isNamed("name") && { name }),
    ...(scopes !== undefined && isNamed("scopes") && { scopes: scopes.scopes }),
    ...(ipAllowlist !== undefined && isNamed("ip_allowlist") && { ipAllowlist: ipAllowlist.ranges }),
    ...(requestsPerMinute !== undefined && isNamed("requests_per_minute") && { requestsPerMinute }),
    ...(expiresAt !== undefined && isNamed("expires_at") && { expiresAt: timestampDate(expiresAt) }),
    ...(requireSignature !== undefined && isNamed("require_signature") && { requireSignature }),
  };
}

/**
 * What is wrong with the changes that a request names. Over REST the mask names the members of the body, so that one which
 * is named and has no value was `null` there: what it is to mean is not guessed.
 */
export function keyChangesProblems({ apiKey, updateMask }: UpdateApiKeyRequest): Record<string, string> {
  const named = updateMask?.paths ?? [];
  const given = new Set(
    ApiKeyChangesSchema.fields
      .filter((field) => apiKey !== undefined && isFieldSet(apiKey, field))
      .map(({ name }) => name),
  );
  const unknown = named.filter((path) => !changeable.has(path));
  const missing = named.filter((path) => changeable.has(path) && !given.has(path));
  return {
    ...(unknown.length > 0 && { update_mask: `must name fields of api_key only: ${[...changeable].join(", ")}` }),
    ...Object.fromEntries(missing.map((path) => [`api_key.${path}`, nullProblem(path)])),
    ...ipAllowlistProblems(apiKey?.ipAllowlist?.ranges ?? [], "api_key.ip_allowlist"),
  };
}

function nullProblem(field: string): string {
  switch (field) {
    case "scopes":
      return 'must not be null: to allow everything, write ["*"]';
    case "ip_allowlist":
      return 'must not be null: to allow every address, write ["0.0.0.0/0", "::/0"]';
    default:
      return "must not be null";
  }
}
