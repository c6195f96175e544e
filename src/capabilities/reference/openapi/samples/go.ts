import type { JsonValue } from "@bufbuild/protobuf";
import { headersOf, type KeyExpression, type SampleCall, type SampleLanguage } from "./sample-call.ts";

const key: KeyExpression = { text: 'os.Getenv("BYONDAPI_KEY")', quote: '"' };

export const go: SampleLanguage = { label: "Go", lang: "go", key, sample };

const headerExpressions = {
  key: key.text,
  session: '"Bearer "+os.Getenv("JWT")',
  text: (text: string) => JSON.stringify(text),
};

const stopOnError = ["\tif err != nil {", "\t\tlog.Fatal(err)", "\t}"];

/** Formatted as gofmt does. */
function sample(call: SampleCall): string {
  const { method, path, query, body, isStream } = call;
  const packages = [
    "fmt",
    "log",
    "net/http",
    "os",
    ...(isStream ? ["bufio"] : ["io"]),
    ...(body === undefined ? [] : ["bytes", "encoding/json"]),
    ...(query.length === 0 ? [] : ["net/url"]),
  ].toSorted();
  const search = query.length === 0 ? "" : '?"+query.Encode()';
  const target = `os.Getenv("BYOND_URL")+"${path}${search === "" ? '"' : search}`;
  const content = body === undefined ? "nil" : "bytes.NewReader(body)";
  return [
    "// go run sample.go",
    "package main",
    "",
    "import (",
    ...packages.map((name) => `\t"${name}"`),
    ")",
    "",
    "func main() {",
    ...(query.length === 0 ? [] : [`\tquery := url.Values{${query.map(queryMember).join(", ")}}`]),
    ...(body === undefined ? [] : [`\tbody, err := json.Marshal(${value(body, "\t")})`, ...stopOnError]),
    `\trequest, err := http.NewRequest("${method}", ${target}, ${content})`,
    ...stopOnError,
    ...headersOf(call, headerExpressions).map(([name, header]) => `\trequest.Header.Set("${name}", ${header})`),
    "\tresponse, err := http.DefaultClient.Do(request)",
    ...stopOnError,
    "\tdefer response.Body.Close()",
    ...(isStream ? printLines : printAnswer),
    "}",
  ].join("\n");
}

const printAnswer = [
  "\tanswer, err := io.ReadAll(response.Body)",
  ...stopOnError,
  "\tfmt.Println(response.StatusCode, string(answer))",
];

const printLines = [
  "\tfmt.Println(response.StatusCode)",
  "\tlines := bufio.NewScanner(response.Body)",
  "\tfor lines.Scan() {",
  "\t\tfmt.Println(lines.Text())",
  "\t}",
  "\tif err := lines.Err(); err != nil {",
  "\t\tlog.Fatal(err)",
  "\t}",
];

function queryMember([name, text]: readonly [string, string]): string {
  return `${JSON.stringify(name)}: {${JSON.stringify(text)}}`;
}

/** A value as a literal. Members are aligned, as gofmt aligns them; objects in objects are on one line. */
function value(json: JsonValue, indent?: string): string {
  if (json === null) {
    return "nil";
  }
  if (Array.isArray(json)) {
    const type = json.every((item) => typeof item === "string") ? "string" : "any";
    return `[]${type}{${json.map((item) => value(item)).join(", ")}}`;
  }
  if (typeof json !== "object") {
    return JSON.stringify(json);
  }
  const members = Object.entries(json).map(([name, member]) => [`${JSON.stringify(name)}:`, value(member)] as const);
  if (indent === undefined || members.length === 0) {
    return `map[string]any{${members.map((member) => member.join(" ")).join(", ")}}`;
  }
  const width = Math.max(...members.map(([name]) => name.length));
  const lines = members.map(([name, member]) => `${indent}\t${name.padEnd(width)} ${member},`);
  return `map[string]any{\n${lines.join("\n")}\n${indent}}`;
}
