import type { DescEnum, DescField, DescMethod, DescService, JsonObject } from "@bufbuild/protobuf";
import { SchemaError } from "../endpoint.ts";
import type { JsonStyle } from "../json/json-style.ts";
import type { OtherFormOf } from "../other-form.ts";
import { type Route, routesOf } from "../route.ts";
import type { EventStreamFields } from "../server-sent-events.ts";
import { ComponentNames } from "./component-names.ts";
import { type ExampleSource, Examples } from "./example-messages.ts";
import { MessageSchemas } from "./message-schemas.ts";
import { openApiPath } from "./openapi-path.ts";
import { buildOperation, type OperationDetails, type OperationFacts } from "./operation.ts";
import { commentOf } from "./proto-comments.ts";
import type { Direction } from "./value-schema.ts";

export interface OpenApiOptions {
  /** Title, version, description and whatever else the document's `info` has. */
  readonly info: JsonObject;
  /** In the order of the document. RPCs without `google.api.http`, and services of such RPCs alone, are left out. */
  readonly services: readonly DescService[];
  readonly json: JsonStyle;
  /** The common prefix of the paths, which becomes the URL of the document's server: `/api/v1`. */
  readonly basePath?: string;
  /** The tag of a service's operations; by default the service's name without `Service`. */
  readonly tagName?: (service: DescService) => string;
  /** The summary of an operation; by default the first sentence of the RPC's comment, which is then not in the description. */
  readonly title?: (method: DescMethod) => string;
  readonly examples?: ExampleSource;
  /** Whether a response field with presence is always set, and therefore never `null`. By default none is. */
  readonly isAlwaysSet?: (field: DescField) => boolean;
  /**
   * Whether an optional request field is documented without `null`: because it is refused, or because leaving the field out says the
   * same. By default `null` means unset.
   */
  readonly withoutNull?: (field: DescField) => boolean;
  /** Keywords beyond those of the rules, for a field of a request: of its value, or of each element of a list. */
  readonly keywords?: (field: DescField) => JsonObject;
  /**
   * The name of the component that describes a field's value, or each element of a list, in place of its type. One of `components`, for
   * texts that are an enum in the document but not in the schema.
   */
  readonly componentOf?: (field: DescField, direction: Direction) => string | undefined;
  /**
   * Whether responses may have values of the enum that the document does not list. They are texts then, with the known values in
   * `x-extensible-enum`. By default no enum grows.
   */
  readonly mayGrow?: (enumType: DescEnum) => boolean;
  /** Whether a field that the query could give is left out of the document. By default none is. */
  readonly hidesParameter?: (field: DescField) => boolean;
  /** The fields of server-sent events, as the gateway has them. */
  readonly eventStream?: (method: DescMethod) => EventStreamFields | undefined;
  /** Another form of answers, beside JSON: as `GatewayOptions.otherForm`. */
  readonly otherForm?: OtherFormOf;
  /** Properties of an operation that are not in the schema: statuses, errors, security, samples. */
  readonly operation?: (facts: OperationFacts) => OperationDetails;
  /** Components beside the schemas of messages, by kind and name. Called after all operations have been built. */
  readonly components?: () => Readonly<Record<string, JsonObject>>;
  /** Other members of the document. */
  readonly members?: JsonObject;
}

/** The methods that OpenAPI 3.1 can describe. Routes with other methods (`custom`) are left out. */
const documentedMethods = new Set(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]);

/**
 * Builds an OpenAPI 3.1 document of RPCs with `google.api.http` options, for a gateway with the same JSON style. Descriptions are the
 * comments of the proto files, if the descriptors have source information; names of RPCs in backticks become methods and paths. Rules of
 * `buf.validate` become JSON Schema keywords. Throws one {@link SchemaError} that lists every problem.
 */
export function buildOpenApi(options: OpenApiOptions): JsonObject {
  const { basePath = "", json, tagName = defaultTagName } = options;
  const places = findPlaces(options.services, basePath, tagName);
  const describe = restNames(places);
  const examples = new Examples(json, options.examples ?? {});
  const names = new ComponentNames(places.map(({ route }) => route.method.output));
  const schemas = new MessageSchemas({
    style: json,
    examples,
    names,
    describe,
    isAlwaysSet: options.isAlwaysSet ?? (() => false),
    withoutNull: options.withoutNull ?? (() => false),
    keywords: options.keywords ?? (() => ({})),
    componentOf: options.componentOf ?? (() => undefined),
    mayGrow: options.mayGrow ?? (() => false),
  });
  const details = options.operation ?? (() => ({}));

  const paths: Record<string, JsonObject> = {};
  for (const place of places) {
    const operation = buildOperation(place, {
      style: json,
      schemas,
      examples,
      describe,
      details,
      title: options.title,
      eventStream: options.eventStream,
      otherForm: options.otherForm,
      hidesParameter: options.hidesParameter ?? (() => false),
    });
    const elsewhere = place.isOutside ? { servers: [{ url: "/" }] } : {};
    paths[place.path] = { ...paths[place.path], ...elsewhere, [place.route.httpMethod.toLowerCase()]: operation };
  }
  const services = options.services.filter((service) => places.some(({ route }) => route.method.parent === service));
  const components = options.components?.() ?? {};
  return {
    openapi: "3.1.0",
    info: options.info,
    servers: [{ url: basePath === "" ? "/" : basePath }],
    tags: services.map((service) => ({ name: tagName(service), description: describe(commentOf(service)) })),
    paths,
    components: {
      ...components,
      schemas: { ...schemas.components(), ...components.schemas },
    },
    ...options.members,
  };
}

interface Place {
  readonly route: Route;
  readonly path: string;
  readonly parts: ReturnType<typeof openApiPath>["parts"];
  readonly operationId: string;
  readonly tag: string;
  /** Whether the path is not below the base path. */
  readonly isOutside: boolean;
}

function findPlaces(
  services: readonly DescService[],
  basePath: string,
  tagName: (service: DescService) => string,
): Place[] {
  const problems: string[] = [];
  const routes = services
    .flatMap((service) => service.methods)
    .flatMap((method) => routesOf(method, "skip", problems))
    .filter(({ httpMethod }) => documentedMethods.has(httpMethod));
  if (problems.length > 0) {
    throw new SchemaError(problems);
  }
  const ids = new Set<string>();
  const known = new Map<string, ReturnType<typeof openApiPath>>();
  return routes.map((route) => {
    const { path, parts } = withKnownNames(openApiPath(route), known);
    const isOutside = !path.startsWith(`${basePath}/`);
    return {
      route,
      path: isOutside ? path : path.slice(basePath.length),
      parts,
      operationId: uniqueId(route.method, ids),
      tag: tagName(route.method.parent),
      isOutside,
    };
  });
}

/** To OpenAPI, paths that differ in parameter names only are the same path, so all get the names of the first. */
function withKnownNames(
  place: ReturnType<typeof openApiPath>,
  known: Map<string, ReturnType<typeof openApiPath>>,
): ReturnType<typeof openApiPath> {
  const shape = place.path.replace(/\{[^}]*\}/g, "{}");
  const first = known.get(shape) ?? place;
  known.set(shape, first);
  return {
    path: first.path,
    parts: place.parts.map((part, index) => ({ ...part, name: first.parts[index]?.name ?? part.name })),
  };
}

/** The name of the RPC, with a number if it is taken: by another service's RPC, or another path of the same. */
function uniqueId({ name }: DescMethod, taken: Set<string>): string {
  const base = name.charAt(0).toLowerCase() + name.slice(1);
  let id = base;
  for (let number = 2; taken.has(id); number++) {
    id = `${base}_${number}`;
  }
  taken.add(id);
  return id;
}

/** Replaces names of RPCs in comments by their methods and paths, which readers of the document know. */
function restNames(places: readonly Place[]): (comment: string) => string {
  const byName = new Map<string, string>();
  for (const { route, path } of places.toReversed()) {
    byName.set(route.method.name, `${route.httpMethod} ${path}`);
  }
  return (comment) =>
    comment.replace(/`([A-Z][A-Za-z0-9]*)`/g, (whole, name: string) => {
      const rest = byName.get(name);
      return rest === undefined ? whole : `\`${rest}\``;
    });
}

function defaultTagName({ name }: DescService): string {
  return name.replace(/Service$/, "");
}
