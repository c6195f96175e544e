import type { ApiCall } from "../api-call.ts";
import { jsonText } from "./json-text.ts";
import { shellLines, shellWord } from "./shell-word.ts";

/** The headers of a call as options of curl and grpcurl. Secrets are variables of the shell. */
export function headerOptions({ credential, headers }: ApiCall): readonly string[] {
  return [
    ...(credential === "key" ? ['-H "X-API-Key: $BYONDAPI_KEY"'] : []),
    ...(credential === "session" ? ['-H "Authorization: Bearer $JWT"'] : []),
    ...headers.map(([name, value]) => `-H ${shellWord(`${name}: ${value}`)}`),
  ];
}

/** The call as a curl command. */
export function curlSnippet(call: ApiCall, serverUrl: string): string {
  const { httpMethod, target, body, operation } = call;
  const options = [
    ...(operation.isStream ? ["-N"] : []),
    ...(httpMethod === "GET" ? [] : [`-X ${httpMethod}`]),
    shellWord(serverUrl + target),
  ];
  return shellLines(`curl ${options.join(" ")}`, [
    ...headerOptions(call),
    ...(body === undefined ? [] : ["-H 'Content-Type: application/json'", `-d ${shellWord(jsonText(body, "  "))}`]),
  ]);
}
