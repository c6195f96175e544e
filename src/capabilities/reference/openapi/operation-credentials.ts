import type { JsonObject } from "@bufbuild/protobuf";
import { type Access, Credential } from "../../../../gen/byond/v1/access_pb.ts";

/**
 * The security requirement: one scheme, the one that the samples use. With several, clients that know both credentials send both,
 * which is refused, and OpenAPI cannot say that one header carries either. The notes and `x-credentials` name the other one. Scopes are
 * in `x-required-scope`: those of a requirement are for OAuth alone.
 */
export function securityOf(access: Access): JsonObject[] {
  const [preferred] = credentialsOf(access);
  return preferred === undefined ? [] : [{ [schemes[preferred]]: [] }];
}

export type UsableCredential = "key" | "session";

const schemes = { key: "ApiKeyAuth", session: "SessionAuth" } as const satisfies Record<UsableCredential, string>;

/** The credentials that open an operation, the preferred one first. */
export function credentialsOf(access: Access): UsableCredential[] {
  switch (access.credential) {
    case Credential.API_KEY:
      return ["key"];
    case Credential.SESSION:
      return ["session"];
    case Credential.API_KEY_OR_SESSION:
      return isDataPlane(access) ? ["key", "session"] : ["session", "key"];
    default:
      return [];
  }
}

const aKey = "an API key, as `X-API-Key: <key>` or `Authorization: Bearer <key>`";
const aSession = "the access token of a session, as `Authorization: Bearer <token>`";

/** Which credentials an operation takes, in which header. */
export function credentialNote(access: Access): string {
  const named = credentialsOf(access).map((credential) => (credential === "key" ? aKey : aSession));
  return named.length === 0 ? "" : `Takes ${named.join("; or ")}.`;
}

/** Which scope a key needs. */
export function scopeNote({ scope, namedScope }: Access): string {
  if (scope === "") {
    return "";
  }
  if (namedScope) {
    return `The API key must have the scope \`${scope}\` or \`*\`.`;
  }
  return scope === "*"
    ? "An API key must have the scope `*`, or no scopes."
    : `The API key must have the scope \`${scope}\` or \`*\`, or no scopes.`;
}

/** Whether a key that names no scope may call it: programs do, and a session only looks on. */
function isDataPlane({ byMode, namedScope }: Access): boolean {
  return byMode && !namedScope;
}
