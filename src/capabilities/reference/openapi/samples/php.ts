import { type Dialect, literal } from "./literal.ts";
import { headersOf, type KeyExpression, type SampleCall, type SampleLanguage } from "./sample-call.ts";

const key: KeyExpression = { text: "getenv('BYONDAPI_KEY')", quote: "'" };

export const php: SampleLanguage = { label: "PHP", lang: "php", key, sample };

/** What follows the name and the colon, in a string that is open. */
const headerExpressions = {
  key: `' . ${key.text}`,
  session: "Bearer ' . getenv('JWT')",
  text: (text: string) => `${text}'`,
};

/** Literals of PHP. */
export const dialect: Dialect = {
  step: "    ",
  atom: (value) => (typeof value === "string" ? quoted(value) : JSON.stringify(value)),
  list: (items) => `[${items.join(", ")}]`,
  name: (name) => `${quoted(name)} => `,
  // `[]` would be encoded as a list.
  object: { open: "[", close: "]", empty: "new stdClass()" },
  trailingComma: true,
};

/** With the extension curl. PHP 8.1 or newer. */
function sample(call: SampleCall): string {
  const { method, path, query, body, isStream } = call;
  const search =
    query.length === 0
      ? quoted(path)
      : `${quoted(`${path}?`)} . http_build_query(${literal(Object.fromEntries(query), dialect)})`;
  const headers = headersOf(call, headerExpressions).map(([name, value]) => `        '${name}: ${value},`);
  return [
    "<?php",
    "// php sample.php",
    `$request = curl_init(getenv('BYOND_URL') . ${search});`,
    ...(isStream ? ["$rest = '';"] : []),
    "curl_setopt_array($request, [",
    ...(method === "GET" ? [] : [`    CURLOPT_CUSTOMREQUEST => '${method}',`]),
    ...(headers.length === 0 ? [] : ["    CURLOPT_HTTPHEADER => [", ...headers, "    ],"]),
    ...(body === undefined ? [] : [`    CURLOPT_POSTFIELDS => json_encode(${literal(body, dialect, "    ")}),`]),
    ...(isStream ? printLines : ["    CURLOPT_RETURNTRANSFER => true,"]),
    "]);",
    "$answer = curl_exec($request);",
    "if ($answer === false) {",
    "    throw new RuntimeException(curl_error($request));",
    "}",
    ...(isStream ? [] : ["echo curl_getinfo($request, CURLINFO_RESPONSE_CODE), ' ', $answer, PHP_EOL;"]),
  ].join("\n");
}

/** curl hands over what has arrived, which may end in the middle of a line. */
const printLines = [
  "    CURLOPT_WRITEFUNCTION => function ($request, string $data) use (&$rest): int {",
  '        $lines = explode("\\n", $rest . $data);',
  "        $rest = array_pop($lines);",
  "        foreach ($lines as $line) {",
  "            echo curl_getinfo($request, CURLINFO_RESPONSE_CODE), ' ', $line, PHP_EOL;",
  "        }",
  "        return strlen($data);",
  "    },",
];

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
