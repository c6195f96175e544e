import type { SampleCall, SampleLanguage } from "./sample-call.ts";
import { command, quotedJson, shellKey } from "./shell-words.ts";

export const grpcurl: SampleLanguage = { label: "gRPC", lang: "bash", key: shellKey, sample };

/** grpcurl takes the address without a scheme. It reads the schema from the server, by reflection. */
function sample({ credential, rpc }: SampleCall): string {
  return command([
    `grpcurl ${withoutTls}`,
    ...(credential === "key" ? [`-H "x-api-key: ${shellKey.text}"`] : []),
    ...(credential === "session" ? ['-H "authorization: Bearer $JWT"'] : []),
    ...(Object.keys(rpc.message).length === 0 ? [] : [`-d ${quotedJson(rpc.message)}`]),
    `${address} ${rpc.name}`,
  ]);
}

const withoutTls = "-plaintext";
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
const address = '"${BYOND_URL#*://}"';

/**
 * The samples in a JSON text, for a server at this URL: over TLS if its scheme says so, and with a port and no path, which gRPC has no
 * use for.
 */
export function forServerAt(url: string, text: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  const isPlain = protocol === "http:";
  const inJson = JSON.stringify(address).slice(1, -1);
  const isWhole = port !== "" && pathname === "/";
  return text
    .replaceAll(`grpcurl ${withoutTls} `, isPlain ? "$&" : "grpcurl ")
    .replaceAll(`${inJson} `, isWhole ? "$&" : `${hostname}:${port || (isPlain ? "80" : "443")} `);
}
