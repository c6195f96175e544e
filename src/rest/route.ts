import { type DescField, type DescMessage, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { http } from "./gen/google/api/annotations_pb.ts";
import type { HttpRule } from "./gen/google/api/http_pb.ts";
import { type PathTemplate, parsePathTemplate } from "./path-template.ts";

/** A variable of a route's path, and the field that it binds. */
export interface PathParameter {
  /** As in the template: `name`, or `book.name`. */
  readonly fieldPath: string;
  /** The fields of the path; the last is the bound one. */
  readonly fields: readonly DescField[];
  readonly multiSegment: boolean;
}

/** What the body of a request holds: nothing, the whole request message, or one field of it. */
export type RouteBody =
  | { readonly kind: "none" }
  | { readonly kind: "message" }
  | { readonly kind: "field"; readonly field: DescField };

/** One way to call an RPC over HTTP. An RPC has one, and one more for each of its `additional_bindings`. */
export interface Route {
  /** In upper case. `*` takes every method that has no route of its own. */
  readonly httpMethod: string;
  /** The path template as it is declared. */
  readonly template: string;
  readonly path: PathTemplate;
  readonly method: DescMethod;
  readonly pathParameters: readonly PathParameter[];
  readonly body: RouteBody;
  /** The field of the response message that is sent as the body (`response_body`); undefined: the whole message. */
  readonly responseField: DescField | undefined;
}

/** Reads the routes of an RPC from its `google.api.http` option. Adds a line to `problems` for each error in it. An RPC that streams its requests has none. */
export function routesOf(method: DescMethod, unmapped: "refuse" | "skip", problems: string[]): Route[] {
  const report = (problem: string) => problems.push(`${method.parent.typeName}.${method.name}: ${problem}`);
  const streamsRequests = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  if (!hasOption(method, http)) {
    if (unmapped === "refuse" && !streamsRequests) {
      report("has no google.api.http option");
    }
    return [];
  }
  if (streamsRequests) {
    report("streams requests, which REST cannot express");
    return [];
  }
  const rule = getOption(method, http);
  for (const additional of rule.additionalBindings) {
    if (additional.additionalBindings.length > 0) {
      report("has additional_bindings inside additional_bindings");
    }
  }
  return [rule, ...rule.additionalBindings]
    .map((binding) => routeOf(method, binding, report))
    .filter((route) => route !== undefined);
}

/** The name of a method is a token (RFC 9110 §5.6.2), which `*` is too. */
const httpToken = /^[A-Z0-9!#$%&'*+\-.^_`|~]+$/;

function routeOf(method: DescMethod, rule: HttpRule, report: (problem: string) => void): Route | undefined {
  const pattern = patternOf(rule);
  if (pattern === undefined) {
    report("has a google.api.http option without a path");
    return undefined;
  }
  const { httpMethod, template } = pattern;
  if (!httpToken.test(httpMethod)) {
    report(`"${httpMethod}" is no HTTP method`);
  }
  let path: PathTemplate;
  try {
    path = parsePathTemplate(template);
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    return undefined;
  }
  const pathParameters: PathParameter[] = [];
  for (const { fieldPath, multiSegment } of path.variables) {
    const fields = resolvePathField(method.input, fieldPath, report);
    if (fields !== undefined) {
      pathParameters.push({ fieldPath, fields, multiSegment });
    }
  }
  reportSharedOneofs(pathParameters, report);
  const body = bodyOf(method.input, rule.body, report);
  if (body.kind === "field" && pathParameters.some(({ fieldPath }) => fieldPath === body.field.name)) {
    report(`both the path and the body bind "${body.field.name}"`);
  }
  if (body.kind !== "none" && (httpMethod === "GET" || httpMethod === "HEAD")) {
    report(`${httpMethod} takes no body`);
  }
  const responseField = rule.responseBody === "" ? undefined : findField(method.output, rule.responseBody);
  if (rule.responseBody !== "" && responseField === undefined) {
    report(`response_body names "${rule.responseBody}", which ${method.output.typeName} does not have`);
  }
  return { httpMethod, template, path, method, pathParameters, body, responseField };
}

function patternOf({ pattern }: HttpRule): { httpMethod: string; template: string } | undefined {
  switch (pattern.case) {
    case undefined:
      return undefined;
    case "custom":
      return { httpMethod: pattern.value.kind.toUpperCase(), template: pattern.value.path };
    default:
      return { httpMethod: pattern.case.toUpperCase(), template: pattern.value };
  }
}

function bodyOf(input: DescMessage, name: string, report: (problem: string) => void): RouteBody {
  if (name === "") {
    return { kind: "none" };
  }
  if (name === "*") {
    return { kind: "message" };
  }
  const field = findField(input, name);
  if (field === undefined) {
    report(`body names "${name}", which ${input.typeName} does not have`);
    return { kind: "none" };
  }
  return { kind: "field", field };
}

function resolvePathField(
  input: DescMessage,
  fieldPath: string,
  report: (problem: string) => void,
): readonly DescField[] | undefined {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = input;
  for (const name of fieldPath.split(".")) {
    const field: DescField | undefined = message === undefined ? undefined : findField(message, name);
    if (field === undefined) {
      report(`the path binds "${fieldPath}", which ${input.typeName} does not have`);
      return undefined;
    }
    if (field.fieldKind === "list" || field.fieldKind === "map") {
      report(`the path binds "${fieldPath}", where ${field.name} is repeated`);
      return undefined;
    }
    fields.push(field);
    message = field.message;
    if (message !== undefined && hasCustomJsonRepresentation(message)) {
      break;
    }
  }
  if (message !== undefined) {
    report(`the path binds "${fieldPath}", which is a message`);
    return undefined;
  }
  return fields;
}

function reportSharedOneofs(parameters: readonly PathParameter[], report: (problem: string) => void): void {
  const oneofs = parameters.flatMap(({ fields }) => fields.at(-1)?.oneof ?? []);
  if (new Set(oneofs).size < oneofs.length) {
    report("the path binds two fields of one oneof");
  }
}

/** Finds a field by its name in the proto file. */
function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name);
}
