import { stringify } from "yaml";
import { once } from "../../../server/once.ts";
import { StaticFile } from "../../../server/static-file.ts";
import { placeholderOrigin } from "../openapi/reference-document.ts";
import { forServerAt } from "../openapi/samples/grpcurl.ts";

/**
 * The OpenAPI document as `/openapi.json` and `/openapi.yaml`, with the address `url` in place of the placeholder. Its `servers` are
 * absolute: a client that is generated from a downloaded copy has no other way to know where the server is. The address never comes from
 * the request: a forged Host would end up in a file that caches serve to others. Made on first use, when the port is open; making takes a
 * tenth of a second each.
 */
export function openApiFiles(
  document: () => Promise<object>,
  url: () => string,
): { readonly json: () => Promise<StaticFile>; readonly yaml: () => Promise<StaticFile> } {
  const json = once(async () => {
    const address = JSON.stringify(url()).slice(1, -1);
    const text = forServerAt(url(), JSON.stringify(await document())).replaceAll(placeholderOrigin, () => address);
    return new StaticFile("application/json", Buffer.from(text));
  });
  const yaml = once(async () => {
    const { bytes } = await json();
    return new StaticFile(yamlMediaType, Buffer.from(yamlOf(JSON.parse(bytes.toString()))));
  });
  return { json, yaml };
}

/** RFC 9512. */
const yamlMediaType = "application/yaml";

/** In quotes is whatever YAML 1.1 would take for a date, a number or a truth value: PyYAML and others read that version. */
function yamlOf(document: unknown): string {
  return stringify(document, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false });
}
