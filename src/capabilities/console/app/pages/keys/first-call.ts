import { type CreateApiKeyResponse, Mode } from "#gen/byond/v1/api_key_pb.ts";

/** A first call with a new key: a verification in the sandbox, where nothing is sent; otherwise the call that every key may make. */
export function firstCall(
  { key, mode, scopes }: Pick<CreateApiKeyResponse, "key" | "mode" | "scopes">,
  serverUrl: string,
): string {
  const maySend = scopes === undefined || scopes.scopes.some((scope) => scope === "*" || scope === "verify");
  if (mode === Mode.TEST && maySend) {
    return [
      `curl "${serverUrl}/api/v1/verify/start" -H "X-API-Key: ${key}" \\`,
      `  -H "Content-Type: application/json" -d '{"channel": "email", "recipient": "ada@example.com"}'`,
    ].join("\n");
  }
  return `curl "${serverUrl}/api/v1/auth/me" -H "X-API-Key: ${key}"`;
}
