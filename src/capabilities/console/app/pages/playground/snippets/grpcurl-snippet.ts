import type { ApiCall } from "../api-call.ts";
import { headerOptions } from "./curl-snippet.ts";
import { jsonText } from "./json-text.ts";
import { shellLines, shellWord } from "./shell-word.ts";

/** The call as a grpcurl command. gRPC has no paths: it is called at the host alone. */
export function grpcurlSnippet(call: ApiCall, serverUrl: string): string {
  const { operation, message } = call;
  const { protocol, hostname, port } = new URL(serverUrl);
  const isSecure = protocol === "https:";
  const { parent, name } = operation.method;
  return shellLines(`grpcurl${isSecure ? "" : " -plaintext"}`, [
    ...headerOptions(call),
    ...(Object.keys(message).length === 0 ? [] : [`-d ${shellWord(jsonText(message, "  "))}`]),
    `${shellWord(`${hostname}:${port || (isSecure ? "443" : "80")}`)} ${parent.typeName}/${name}`,
  ]);
}
