import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { jsonLiteral, pythonLiteral, scriptLiteral } from "./literals.ts";

/** A call to write samples of. */
export interface SampleCall {
  readonly method: string;
  /** The whole address, without a query. */
  readonly url: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: JsonValue | undefined;
  readonly credential: "key" | "session" | "none";
}

/** The same call in curl, fetch and Python, as the extension `x-codeSamples` has them. */
export function codeSamples(call: SampleCall): JsonObject[] {
  return [
    { lang: "bash", label: "curl", source: curlSample(call) },
    { lang: "javascript", label: "fetch", source: fetchSample(call) },
    { lang: "python", label: "Python", source: pythonSample(call) },
  ];
}

function curlSample({ method, url, query, body, credential }: SampleCall): string {
  const target = query.length === 0 ? url : `"${url}?${new URLSearchParams(Object.fromEntries(query))}"`;
  const options = [
    ...(credential === "key" ? ['-H "X-API-Key: $BYONDAPI_KEY"'] : []),
    ...(credential === "session" ? ['-H "Authorization: Bearer $JWT"'] : []),
    ...(body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d '${jsonLiteral(body, "  ").replaceAll("'", "'\\''")}'`]),
  ];
  return [`curl ${method === "GET" ? "" : `-X ${method} `}${target}`, ...options].join(" \\\n  ");
}

function fetchSample({ method, url, query, body, credential }: SampleCall): string {
  const headers = [
    ...(credential === "key" ? ['"X-API-Key": process.env.BYONDAPI_KEY'] : []),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the sample's own template
    ...(credential === "session" ? ["Authorization: `Bearer ${process.env.JWT}`"] : []),
    ...(body === undefined ? [] : ['"Content-Type": "application/json"']),
  ];
  const options = [
    ...(method === "GET" ? [] : [`method: "${method}"`]),
    ...(headers.length === 0 ? [] : [`headers: {\n    ${headers.join(",\n    ")}\n  }`]),
    ...(body === undefined ? [] : [`body: JSON.stringify(${scriptLiteral(body, "  ")})`]),
  ];
  const target = query.length === 0 ? `"${url}"` : `"${url}?" + params`;
  const argument = options.length === 0 ? "" : `, {\n  ${options.join(",\n  ")}\n}`;
  return [
    ...(query.length === 0
      ? []
      : [`const params = new URLSearchParams(${scriptLiteral(Object.fromEntries(query), "")});`]),
    `const response = await fetch(${target}${argument});`,
    "const data = await response.json();",
    "console.log(response.status, data);",
  ].join("\n");
}

function pythonSample({ method, url, query, body, credential }: SampleCall): string {
  const options = [
    ...(credential === "key" ? ['headers={"X-API-Key": os.environ["BYONDAPI_KEY"]}'] : []),
    ...(credential === "session" ? ['headers={"Authorization": f"Bearer {os.environ[\'JWT\']}"}'] : []),
    ...(query.length === 0 ? [] : [`params=${pythonLiteral(Object.fromEntries(query), "    ")}`]),
    ...(body === undefined ? [] : [`json=${pythonLiteral(body, "    ")}`]),
  ];
  const lines = [`"${url}"`, ...options].map((line) => `    ${line},`);
  return [
    ...(credential === "none" ? [] : ["import os", ""]),
    "import requests",
    "",
    `response = requests.${method.toLowerCase()}(`,
    ...lines,
    ")",
    "print(response.status_code, response.json())",
  ].join("\n");
}
