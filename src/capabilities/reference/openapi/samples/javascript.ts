import { type Dialect, literal } from "./literal.ts";
import { headersOf, type KeyExpression, type SampleCall, type SampleLanguage } from "./sample-call.ts";

const key: KeyExpression = { text: "process.env.BYONDAPI_KEY", quote: '"' };

export const javascript: SampleLanguage = { label: "JavaScript", lang: "javascript", key, sample };

const headerExpressions = {
  key: key.text,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the sample's own template
  session: "`Bearer ${process.env.JWT}`",
  text: (text: string) => JSON.stringify(text),
};

const dialect: Dialect = {
  step: "  ",
  atom: (value) => JSON.stringify(value),
  list: (items) => `[${items.join(", ")}]`,
  name: (name) => `${memberName(name)}: `,
  object: { open: "{", close: "}", empty: "{}" },
  trailingComma: true,
};

/** A module: it awaits at its top level. Node.js 20 or newer. */
function sample(call: SampleCall): string {
  const { method, path, query, body, isStream } = call;
  const headers = headersOf(call, headerExpressions).map(([name, value]) => `    ${memberName(name)}: ${value},`);
  const options = [
    ...(method === "GET" ? [] : [`  method: "${method}",`]),
    ...(headers.length === 0 ? [] : ["  headers: {", ...headers, "  },"]),
    ...(body === undefined ? [] : [`  body: JSON.stringify(${literal(body, dialect, "  ")}),`]),
  ];
  const search = query.length === 0 ? "" : `?\${query}`;
  return [
    "// node sample.mjs",
    ...(isStream
      ? ['import { createInterface } from "node:readline";', 'import { Readable } from "node:stream";', ""]
      : []),
    ...(query.length === 0
      ? []
      : [`const query = new URLSearchParams(${literal(Object.fromEntries(query), dialect)});`]),
    `const response = await fetch(\`\${process.env.BYOND_URL}${path}${search}\`${options.length === 0 ? ");" : ", {"}`,
    ...(options.length === 0 ? [] : [...options, "});"]),
    ...(isStream
      ? [
          "console.log(response.status);",
          "for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {",
          "  console.log(line);",
          "}",
        ]
      : ["console.log(response.status, await response.json());"]),
  ].join("\n");
}

/** A name of a member, unquoted where possible. */
function memberName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
