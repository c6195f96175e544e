import { json, literal } from "./literal.ts";
import { headersOf, type KeyExpression, type SampleCall, type SampleLanguage } from "./sample-call.ts";

const key: KeyExpression = { text: 'System.getenv("BYONDAPI_KEY")', quote: '"' };

export const java: SampleLanguage = { label: "Java", lang: "java", key, sample };

const headerExpressions = {
  key: key.text,
  session: '"Bearer " + System.getenv("JWT")',
  text: (text: string) => JSON.stringify(text),
};

/** A file that `java` runs without compiling it first. Java 17 or newer, for the text block. */
function sample(call: SampleCall): string {
  const { path, query, body, isStream } = call;
  const send = method(call);
  const imports = [
    "java.net.URI",
    "java.net.http.HttpClient",
    "java.net.http.HttpRequest",
    ...(send.includes("BodyPublishers") ? ["java.net.http.HttpRequest.BodyPublishers"] : []),
    "java.net.http.HttpResponse.BodyHandlers",
    ...(query.length === 0 ? [] : ["java.net.URLEncoder", "static java.nio.charset.StandardCharsets.UTF_8"]),
  ].toSorted();
  const target = query.length === 0 ? `"${path}"` : `"${path}?" + query`;
  return [
    "// Java 17 or newer: java Sample.java",
    ...imports.map((name) => `import ${name};`),
    "",
    "public class Sample {",
    "    public static void main(String[] args) throws Exception {",
    ...(query.length === 0 ? [] : [`        var query = ${query.map(parameter).join("\n            + ")};`]),
    ...(body === undefined
      ? []
      : [
          '        var body = """',
          `            ${textBlock(literal(body, json, "            "))}`,
          '            """;',
        ]),
    `        var request = HttpRequest.newBuilder(URI.create(System.getenv("BYOND_URL") + ${target}))`,
    ...headersOf(call, headerExpressions).map(([name, value]) => `            .header("${name}", ${value})`),
    ...(send === "" ? [] : [`            ${send}`]),
    "            .build();",
    `        var response = HttpClient.newHttpClient().send(request, BodyHandlers.${isStream ? "ofLines" : "ofString"}());`,
    ...(isStream
      ? ["        System.out.println(response.statusCode());", "        response.body().forEach(System.out::println);"]
      : ['        System.out.println(response.statusCode() + " " + response.body());']),
    "    }",
    "}",
  ].join("\n");
}

/** The part of the builder that sets the method and the body; nothing for GET. */
function method({ method: name, body }: SampleCall): string {
  const content = body === undefined ? "BodyPublishers.noBody()" : "BodyPublishers.ofString(body)";
  switch (name) {
    case "GET":
      return "";
    case "POST":
    case "PUT":
      return `.${name}(${content})`;
    case "DELETE":
      return body === undefined ? ".DELETE()" : `.method("DELETE", ${content})`;
    default:
      return `.method("${name}", ${content})`;
  }
}

function parameter([name, value]: readonly [string, string], index: number): string {
  return `"${index === 0 ? "" : "&"}${name}=" + URLEncoder.encode(${JSON.stringify(value)}, UTF_8)`;
}

function textBlock(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"""', '\\"""');
}
