import type { ApiCall } from "../api-call.ts";
import { scriptText, stringText } from "./json-text.ts";

/** The call as a module for Node. */
export function fetchSnippet(call: ApiCall, serverUrl: string): string {
  const { httpMethod, target, body, operation } = call;
  const headers = headerLines(call);
  const options = [
    ...(httpMethod === "GET" ? [] : [`method: ${stringText(httpMethod)},`]),
    ...(headers.length === 0 ? [] : ["headers: {", ...headers.map((line) => `  ${line}`), "},"]),
    ...(body === undefined ? [] : [`body: JSON.stringify(${scriptText(body, "  ")}),`]),
  ];
  const address = stringText(serverUrl + target);
  const lines = options.map((line) => `  ${line}\n`).join("");
  return [
    `const response = await fetch(${address}${lines === "" ? "" : `, {\n${lines}}`});`,
    ...(operation.isStream
      ? ["for await (const text of response.body.pipeThrough(new TextDecoderStream())) {", "  console.log(text);", "}"]
      : ["console.log(response.status, await response.json());"]),
  ].join("\n");
}

function headerLines({ credential, headers, body }: ApiCall): readonly string[] {
  return [
    ...(credential === "key" ? ['"X-API-Key": process.env.BYONDAPI_KEY,'] : []),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the snippet's own template
    ...(credential === "session" ? ["Authorization: `Bearer ${process.env.JWT}`,"] : []),
    ...headers.map(([name, value]) => `${stringText(name)}: ${stringText(value)},`),
    ...(body === undefined ? [] : ['"Content-Type": "application/json",']),
  ];
}
