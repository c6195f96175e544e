import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

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

/** A value as JavaScript writes it, with names unquoted where they can be. `indent` is that of the line it begins on. */
function scriptLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, {
    step: "  ",
    name: (key) => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)),
    atom: (atom) => JSON.stringify(atom),
  });
}

/** A value as JSON, with lists on one line. */
function jsonLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, {
    step: "  ",
    name: (key) => JSON.stringify(key),
    atom: (atom) => JSON.stringify(atom),
  });
}

/** A value as Python writes it. */
function pythonLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, { step: "    ", name: (key) => JSON.stringify(key), atom: pythonAtom });
}

interface Dialect {
  readonly step: string;
  readonly name: (key: string) => string;
  readonly atom: (value: string | number | boolean | null) => string;
}

function literal(value: JsonValue, indent: string, dialect: Dialect): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => literal(item, indent, dialect)).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) {
    return dialect.atom(value);
  }
  const inner = indent + dialect.step;
  const members = Object.entries(value).map(
    ([key, member]) => `${inner}${dialect.name(key)}: ${literal(member, inner, dialect)}`,
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

function pythonAtom(value: string | number | boolean | null): string {
  if (value === null) {
    return "None";
  }
  return typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
}
