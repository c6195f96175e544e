import type { DescField, DescFile, DescService, JsonObject } from "@bufbuild/protobuf";
import { buildOpenApi } from "@byond/rest/openapi/openapi-document";
import { commentOf } from "@byond/rest/openapi/proto-comments";
import { routesOf } from "@byond/rest/route";
import { apiVersions } from "../../../rpc/api-versions.ts";
import { eventStreamFields } from "../../../rpc/event-stream-fields.ts";
import { restStyle } from "../../../rpc/rest-style.ts";
import { guideText } from "../guide.ts";
import { sharedComponents } from "./components.ts";
import { ErrorResponses } from "./error-responses.ts";
import { documentedExamples } from "./field-examples.ts";
import { operationDetails } from "./operation-details.ts";
import { requestKeywords } from "./request-keywords.ts";
import { byGroup, groupTitle, operationTitle } from "./titles.ts";
import { webhookSection } from "./webhook-section.ts";

/** The server's address in `gen/openapi.json`. The server replaces it with its own address. */
export const placeholderOrigin = "http://127.0.0.1:8080";

/** The path that all paths of the document begin with. */
const basePath = "/api/v1";

/** The services of package `byond.v1` in `files`, in the order of the reference. */
export function servicesOf(files: Iterable<DescFile>): DescService[] {
  return [...files]
    .filter(({ proto }) => proto.package === "byond.v1")
    .flatMap((file) => file.services)
    .toSorted(byGroup);
}

/**
 * Builds the OpenAPI document of services. Descriptions are their comments, if their files have source information. `scopes` are
 * the scopes that a key can have.
 */
export function buildReference(services: readonly DescService[], scopes: readonly string[]): JsonObject {
  const baseUrl = placeholderOrigin + basePath;
  const version = apiVersions.at(-1)?.version ?? "";
  const errors = new ErrorResponses(`${placeholderOrigin}/docs/errors`);
  return buildOpenApi({
    info: {
      title: "Byond reference",
      version,
      summary: "One-time codes, phone number lookup and scoped API keys, behind one key and one base URL.",
      description: guideText({ origin: placeholderOrigin, basePath, version, services }),
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    services,
    json: restStyle,
    basePath,
    tagName: groupTitle,
    title: operationTitle,
    examples: documentedExamples,
    isAlwaysSet,
    refusesNull: isOfUpdate(services),
    keywords: (field) => requestKeywords(field, scopes),
    eventStream: eventStreamFields,
    operation: (facts) => operationDetails(facts, baseUrl, errors),
    components: () => ({ ...sharedComponents, ...errors.components() }),
    members: {
      servers: [{ url: baseUrl, description: "This server" }],
      ...webhookSection(services),
    },
  });
}

/** Whether a field belongs to the body of a `PATCH`, where `null` is refused because its meaning would be a guess. */
function isOfUpdate(services: readonly DescService[]): (field: DescField) => boolean {
  const bodies = services
    .flatMap(({ methods }) => methods)
    .flatMap((method) => routesOf(method, "skip", []))
    .map(({ httpMethod, body }) => (httpMethod === "PATCH" && body.kind === "field" ? body.field.message : undefined));
  return ({ parent }) => bodies.includes(parent);
}

/** A message field of a response is always set, unless its comment says when it is null. */
function isAlwaysSet(field: DescField): boolean {
  return field.fieldKind === "message" && !/\bnull\b/i.test(commentOf(field));
}
