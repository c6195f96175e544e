import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** The call to show in samples. */
export interface SampleCall {
  readonly method: string;
  /** The absolute URL without the query. */
  readonly url: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: JsonValue | undefined;
  readonly credential: "key" | "session" | "none";
  /** Whether it is answered with a stream, which is read line by line. */
  readonly isStream: boolean;
}

/** The call in curl, fetch and Python, in the form of the extension `x-codeSamples`. */
export function codeSamples(call: SampleCall): JsonObject[] {
  return [
    { lang: "bash", label: "curl", source: curlSample(call) },
    { lang: "javascript", label: "fetch", source: fetchSample(call) },
    { lang: "python", label: "Python", source: pythonSample(call) },
  ];
}

function curlSample({ method, url, query, body, credential, isStream }: SampleCall): string {
  const target = query.length === 0 ? url : `"${url}?${new URLSearchParams(Object.fromEntries(query))}"`;
  const options = [
    ...(credential === "key" ? ['-H "X-API-Key: $BYONDAPI_KEY"'] : []),
    ...(credential === "session" ? ['-H "Authorization: Bearer $JWT"'] : []),
    ...(body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d '${jsonLiteral(body, "  ").replaceAll("'", "'\\''")}'`]),
  ];
  return [`curl ${isStream ? "-N " : ""}${method === "GET" ? "" : `-X ${method} `}${target}`, ...options].join(
    " \\\n  ",
  );
}

function fetchSample({ method, url, query, body, credential, isStream }: SampleCall): string {
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
    ...(isStream
      ? ["for await (const text of response.body.pipeThrough(new TextDecoderStream())) {", "  console.log(text);", "}"]
      : ["const data = await response.json();", "console.log(response.status, data);"]),
  ].join("\n");
}

function pythonSample({ method, url, query, body, credential, isStream }: SampleCall): string {
  const options = [
    ...(credential === "key" ? ['headers={"X-API-Key": os.environ["BYONDAPI_KEY"]}'] : []),
    ...(credential === "session" ? ['headers={"Authorization": f"Bearer {os.environ[\'JWT\']}"}'] : []),
    ...(query.length === 0 ? [] : [`params=${pythonLiteral(Object.fromEntries(query), "    ")}`]),
    ...(body === undefined ? [] : [`json=${pythonLiteral(body, "    ")}`]),
    ...(isStream ? ["stream=True"] : []),
  ];
  const lines = [`"${url}"`, ...options].map((line) => `    ${line},`);
  return [
    ...(credential === "none" ? [] : ["import os", ""]),
    "import requests",
    "",
    `response = requests.${method.toLowerCase()}(`,
    ...lines,
    ")",
    ...(isStream
      ? ["for line in response.iter_lines():", "    print(line.decode())"]
      : ["print(response.status_code, response.json())"]),
  ].join("\n");
}

/** A value as a JavaScript literal, with names unquoted where possible. `indent` is the indent of its first line. */
function scriptLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, {
    step: "  ",
    name: (key) => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)),
    atom: (atom) => JSON.stringify(atom),
  });
}

/** A value as JSON, each list on one line. */
function jsonLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, {
    step: "  ",
    name: (key) => JSON.stringify(key),
    atom: (atom) => JSON.stringify(atom),
  });
}

/** A value as a Python literal. */
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
