import type { DescField, DescFile, DescService, JsonObject } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { buildOpenApi } from "@byond/rest/openapi/openapi-document";
import { commentOf } from "@byond/rest/openapi/proto-comments";
import { apiVersions } from "../../../rpc/api-versions.ts";
import { csvForm } from "../../../rpc/csv-form.ts";
import { eventStreamFields } from "../../../rpc/event-stream-fields.ts";
import { restStyle } from "../../../rpc/rest-style.ts";
import { sharedComponents } from "./components.ts";
import { ErrorResponses } from "./error-responses.ts";
import { documentedExamples } from "./field-examples.ts";
import { operationDetails } from "./operation-details.ts";
import { requestKeywords } from "./request-keywords.ts";
import type { SdkSamples } from "./samples/sample-call.ts";
import { scopeComponent, scopeComponentOf, scopeSchema } from "./scope-schema.ts";
import { byGroup, groupTitle, operationTitle } from "./titles.ts";
import { webhookSection } from "./webhook-section.ts";

/**
 * The OpenAPI document. The pages of the reference are rendered from it alone, so it has, beyond OpenAPI:
 *
 * | where | member | what |
 * |---|---|---|
 * | operation | `x-rpc` | the RPC: `byond.v1.VerifyService/StartVerification` |
 * | operation | `x-credentials` | what it takes, the preferred one first: `["key", "session"]`; `[]`: anybody may call |
 * | operation | `x-required-scope` | the scope that a key needs; absent: any key |
 * | operation | `x-codeSamples` | `{ lang, label, source }` each |
 * | enum | `x-enum-descriptions` | a text for each value, in the order of `enum`; may be empty |
 * | string of a response | `x-extensible-enum` | the values that there are today; more may be added |
 *
 * Its operations have the tag of their service, its `x-webhooks` a tag of their own. Decision 54 says what it leaves out, and why.
 */

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
 * the scopes that a key can have. The samples in SDKs are written by the generator of the SDKs, which servers do not have.
 */
export function buildReference(
  services: readonly DescService[],
  scopes: readonly string[],
  sdkSamples: SdkSamples = () => [],
): JsonObject {
  const baseUrl = placeholderOrigin + basePath;
  const version = apiVersions.at(-1)?.version ?? "";
  const errors = new ErrorResponses(`${placeholderOrigin}/docs/errors`);
  return buildOpenApi({
    info: {
      // Of these two, generators make the name and the version of a package.
      title: "Byond",
      version: packageVersion(version),
      summary: "One-time codes, phone number lookup and scoped API keys, behind one key and one base URL.",
      // At the head of every file that OpenAPI Generator writes.
      description: [
        `Version ${version} of the API. You host the server yourself: numbers, addresses and codes stay on it.`,
        "Requests and responses are JSON; the same calls work over gRPC and Connect.",
        `Quickstart, guides and errors: ${placeholderOrigin}/docs`,
      ].join("\n"),
      contact: { name: "The operator of this server", url: `${placeholderOrigin}/docs` },
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    services,
    json: restStyle,
    basePath,
    tagName: groupTitle,
    title: operationTitle,
    examples: documentedExamples,
    isAlwaysSet,
    // In a `PATCH` it is refused. Elsewhere it says what leaving the field out says, at the price of a type of its own in Java and Go.
    withoutNull: () => true,
    keywords: requestKeywords,
    componentOf: scopeComponentOf,
    mayGrow: (enumType) => /\bmay be added\b/.test(commentOf(enumType)),
    hidesParameter: isFieldMask,
    eventStream: eventStreamFields,
    otherForm: csvForm,
    operation: (facts) => operationDetails(facts, basePath, errors, sdkSamples),
    components: () => {
      const { responses, schemas } = errors.components();
      return {
        ...sharedComponents,
        responses,
        schemas: { ...schemas, [scopeComponent]: scopeSchema(scopes, services) },
      };
    },
    members: {
      servers: [{ url: baseUrl, description: "This server" }],
      ...webhookSection(services),
    },
  });
}

/** `2026-06-15` → `2026.6.15`: packages of Python and Rust have versions of numbers, without leading zeros. */
function packageVersion(version: string): string {
  return version.split("-").map(Number).join(".");
}

/** REST changes the fields that are given; the mask is for those who send whole messages. */
function isFieldMask({ message }: DescField): boolean {
  return message?.typeName === FieldMaskSchema.typeName;
}

/** A message field of a response is always set, unless its comment says when it is null. */
export function isAlwaysSet(field: DescField): boolean {
  return field.fieldKind === "message" && !/\bnull\b/i.test(commentOf(field));
}
