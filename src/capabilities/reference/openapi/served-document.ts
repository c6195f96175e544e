import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { buildReference } from "./reference-document.ts";
import { groupTitle } from "./titles.ts";
import { webhookTag } from "./webhook-section.ts";

/**
 * The document of the services that this server has. Takes `whole`, the document of all standard services, leaves out the
 * operations and schemas of services that the server lacks, and adds other services; these have no descriptions, because comments
 * are not known at run time.
 */
export function documentOf(
  { services, scopes }: { readonly services: readonly DescService[]; readonly scopes: readonly string[] },
  whole: JsonObject,
): JsonObject {
  const document = withScopes(whole, scopes);
  const described = new Set(listOf(document.tags).map((tag) => objectOf(tag).name));
  const added = services.filter((service) => !described.has(groupTitle(service)));
  const served = new Set<JsonValue | undefined>(services.map(groupTitle));
  const extra = added.length === 0 ? {} : buildReference(added, scopes);
  const paths = { ...servedPaths(objectOf(document.paths), served), ...objectOf(extra.paths) };
  const components = { ...objectOf(document.components), ...objectOf(extra.components) };
  const schemas = {
    ...objectOf(objectOf(document.components).schemas),
    ...objectOf(objectOf(extra.components).schemas),
  };
  const { schemas: _, ...others } = components;
  const { webhooks: allWebhooks, ...members } = document;
  const webhooks = served.has(webhookTag) ? objectOf(allWebhooks) : {};
  return {
    ...members,
    tags: [...listOf(document.tags).filter((tag) => served.has(objectOf(tag).name)), ...listOf(extra.tags)],
    paths,
    ...(Object.keys(webhooks).length === 0 ? {} : { webhooks }),
    components: { ...components, schemas: referredSchemas(schemas, [paths, webhooks, others]) },
  };
}

/** Replaces the scopes that requests may give a key. */
function withScopes(document: JsonObject, scopes: readonly string[]): JsonObject {
  return JSON.parse(JSON.stringify(document), (key, value) =>
    key === "scopes" && value?.items?.enum !== undefined
      ? { ...value, items: { ...value.items, enum: scopes } }
      : value,
  );
}

/** The paths, with only the operations of these groups. A path without operations is left out. */
function servedPaths(paths: JsonObject, groups: ReadonlySet<JsonValue | undefined>): JsonObject {
  const isOperation = (member: JsonValue) => "operationId" in objectOf(member);
  const isServed = (member: JsonValue) => listOf(objectOf(member).tags).every((tag) => groups.has(tag));
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, item]) => {
      const members = Object.entries(objectOf(item)).filter(([, member]) => !isOperation(member) || isServed(member));
      return members.some(([, member]) => isOperation(member)) ? [[path, Object.fromEntries(members)]] : [];
    }),
  );
}

/** The schemas that `from` refers to, directly or through other schemas. */
function referredSchemas(schemas: JsonObject, from: JsonValue): JsonObject {
  const found = new Set<string>();
  const search = (value: JsonValue): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      const schema = schemas[name];
      if (!found.has(name) && schema !== undefined) {
        found.add(name);
        search(schema);
      }
    }
  };
  search(from);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => found.has(name)));
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}
