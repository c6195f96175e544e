import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { buildReference } from "./reference-document.ts";
import { scopeComponent, scopeSchema } from "./scope-schema.ts";
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
  const described = new Set(listOf(whole.tags).map((tag) => objectOf(tag).name));
  const added = services.filter((service) => !described.has(groupTitle(service)));
  const served = new Set<JsonValue | undefined>(services.map(groupTitle));
  const extra = added.length === 0 ? {} : buildReference(added, scopes);
  const paths = { ...servedPaths(objectOf(whole.paths), served), ...objectOf(extra.paths) };
  const webhooks = served.has(webhookTag) ? objectOf(whole["x-webhooks"]) : {};
  const all = merged(objectOf(whole.components), objectOf(extra.components));
  const schemas = { ...objectOf(all.schemas), [scopeComponent]: scopeSchema(scopes, services) };
  const { "x-webhooks": _, ...members } = whole;
  return {
    ...members,
    tags: [...listOf(whole.tags).filter((tag) => served.has(objectOf(tag).name)), ...listOf(extra.tags)],
    paths,
    ...(Object.keys(webhooks).length === 0 ? {} : { "x-webhooks": webhooks }),
    components: referredComponents({ ...all, schemas }, [paths, webhooks]),
  };
}

/** Components of both documents, by kind and name. */
function merged(one: JsonObject, other: JsonObject): JsonObject {
  const kinds = Object.keys({ ...one, ...other });
  return Object.fromEntries(kinds.map((kind) => [kind, { ...objectOf(one[kind]), ...objectOf(other[kind]) }]));
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

/** The components that `from` refers to, directly or through others. Security schemes are referred to by name, and stay. */
function referredComponents(components: JsonObject, from: JsonValue): JsonObject {
  const found = new Set<string>();
  const search = (value: JsonValue): void => {
    for (const [, kind = "", name = ""] of JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      const component = objectOf(components[kind])[name];
      if (!found.has(`${kind}/${name}`) && component !== undefined) {
        found.add(`${kind}/${name}`);
        search(component);
      }
    }
  };
  search(from);
  return Object.fromEntries(
    Object.entries(components).map(([kind, byName]) => [
      kind,
      kind === "securitySchemes"
        ? byName
        : Object.fromEntries(Object.entries(objectOf(byName)).filter(([name]) => found.has(`${kind}/${name}`))),
    ]),
  );
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}
