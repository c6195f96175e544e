import { headersOf, type SampleCall, type SampleLanguage } from "./sample-call.ts";
import { command, quotedJson, shellKey } from "./shell-words.ts";

export const curl: SampleLanguage = { label: "curl", lang: "bash", key: shellKey, sample };

const headers = { key: shellKey.text, session: "Bearer $JWT", text: (text: string) => text };

/** `--fail-with-body`: an error sets the exit status, and its body is printed all the same. */
function sample(call: SampleCall): string {
  const { method, path, query, body, isStream } = call;
  const search = query.length === 0 ? "" : `?${new URLSearchParams(Object.fromEntries(query))}`;
  const verb = method === "GET" ? "" : ` -X ${method}`;
  return command([
    `curl --fail-with-body${isStream ? " --no-buffer" : ""}${verb}`,
    `"$BYOND_URL${path}${search}"`,
    ...headersOf(call, headers).map(([name, value]) => `-H "${name}: ${value}"`),
    ...(body === undefined ? [] : [`-d ${quotedJson(body)}`]),
  ]);
}
