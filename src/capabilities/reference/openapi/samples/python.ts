import { type Dialect, literal } from "./literal.ts";
import { headersOf, type KeyExpression, type SampleCall, type SampleLanguage } from "./sample-call.ts";

const key: KeyExpression = { text: 'os.environ["BYONDAPI_KEY"]', quote: '"' };

export const python: SampleLanguage = { label: "Python", lang: "python", key, sample };

const headerExpressions = {
  key: key.text,
  session: '"Bearer " + os.environ["JWT"]',
  text: (text: string) => JSON.stringify(text),
};

/** Literals of Python. */
export const dialect: Dialect = {
  step: "    ",
  atom: (value) => {
    if (value === null) {
      return "None";
    }
    return typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
  },
  list: (items) => `[${items.join(", ")}]`,
  name: (name) => `${JSON.stringify(name)}: `,
  object: { open: "{", close: "}", empty: "{}" },
  trailingComma: true,
};

/** With a timeout, because `requests` has none; a stream stays open. */
function sample(call: SampleCall): string {
  const { method, path, query, body, isStream } = call;
  // `json=` sets the media type.
  const headers = headersOf(call, headerExpressions).filter(([name]) => name !== "Content-Type");
  const lines = [
    `    os.environ["BYOND_URL"] + "${path}",`,
    ...headers.map(([name, value]) => `    headers={"${name}": ${value}},`),
    ...(query.length === 0 ? [] : [`    params=${literal(Object.fromEntries(query), dialect, "    ")},`]),
    ...(body === undefined ? [] : [`    json=${literal(body, dialect, "    ")},`]),
    isStream ? "    stream=True," : "    timeout=10,",
  ];
  return [
    "# pip install requests",
    "import os",
    "",
    "import requests",
    "",
    `response = requests.${method.toLowerCase()}(`,
    ...lines,
    ")",
    ...(isStream
      ? ["print(response.status_code)", "for line in response.iter_lines():", "    print(line.decode(), flush=True)"]
      : ["print(response.status_code, response.json())"]),
  ].join("\n");
}
