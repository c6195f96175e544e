import { stringify } from "yaml";
import { StaticFile } from "../../../server/static-file.ts";
import { forServerAt } from "../openapi/samples/grpcurl.ts";
import { liveText } from "./live-text.ts";

/**
 * The OpenAPI document as `/openapi.json` and `/openapi.yaml`, with the address `url`. Its `servers` are absolute: a client that is generated
 * from a downloaded copy has no other way to know where the server is. Made on first use, since making takes a tenth of a second each.
 */
export function openApiFiles(
  document: () => object,
  url: () => string,
): { readonly json: () => StaticFile; readonly yaml: () => StaticFile } {
  const json = liveText("application/json", () => forServerAt(url(), JSON.stringify(document())), url, escapeJson);
  let yaml: StaticFile | undefined;
  return {
    json,
    yaml: () => {
      yaml ??= new StaticFile(yamlMediaType, Buffer.from(yamlOf(JSON.parse(json().bytes.toString()))));
      return yaml;
    },
  };
}

/** RFC 9512. */
const yamlMediaType = "application/yaml";

/** In quotes is whatever YAML 1.1 would take for a date, a number or a truth value: PyYAML and others read that version. */
function yamlOf(document: unknown): string {
  return stringify(document, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false });
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
