import { createRegistry, type DescMessage, isMessage, type JsonObject, type Message, toJson } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { ViolationCollector } from "@byond/rest/field-violations";
import { JsonReader } from "@byond/rest/json/json-reader";
import type { OperationFacts } from "@byond/rest/openapi/operation";
import { compileRequestBinder } from "@byond/rest/request-binder";
import { restStyle } from "../../../../rpc/rest-style.ts";
import type { SampleCall } from "./sample-call.ts";

/** The call that the samples of an operation show, made of the examples in the document. */
export function sampleCall(facts: OperationFacts, basePath: string, credential: SampleCall["credential"]): SampleCall {
  const { route, bodyExample } = facts;
  const { method } = route;
  const query = sampleQuery(facts);
  const variables = pathVariables(facts);
  return {
    method: route.httpMethod,
    path: basePath + filledPath(facts),
    variables,
    query,
    body: bodyExample,
    credential,
    isStream: method.methodKind === "server_streaming",
    rpc: {
      name: `${method.parent.typeName}/${method.name}`,
      message: protobufJson(facts, variables, query),
    },
  };
}

function pathExample({ parameters }: OperationFacts, name: string): string | undefined {
  const example = parameters.find((parameter) => parameter.in === "path" && parameter.name === name)?.example;
  return example === undefined ? undefined : String(example);
}

function filledPath(facts: OperationFacts): string {
  return facts.path.replace(/\{([^}]+)\}/g, (whole, name: string) => {
    const example = pathExample(facts, name);
    return example === undefined ? whole : encodeURIComponent(example);
  });
}

function pathVariables(facts: OperationFacts): [string, string][] {
  return facts.route.pathParameters.flatMap(({ fieldPath }): [string, string][] => {
    const example = pathExample(facts, fieldPath);
    return example === undefined ? [] : [[fieldPath, example]];
  });
}

/** The required parameters, and one optional parameter as an example. */
function sampleQuery({ parameters }: OperationFacts): [string, string][] {
  const inQuery = parameters.filter((parameter) => parameter.in === "query" && parameter.example !== undefined);
  const required = inQuery.filter((parameter) => parameter.required);
  const optional = required.length === 0 ? [] : inQuery.filter((parameter) => !parameter.required).slice(0, 1);
  return [...required, ...optional].map(({ name, example }) => [name, String(example)]);
}

/**
 * The field masks of a message, as the messages that they are: that is how grpcurl takes them, which knows nothing of the JSON that
 * protobuf has for them.
 */
function fieldMasks(desc: DescMessage, message: Message): JsonObject {
  const reflected = reflect(desc, message);
  return Object.fromEntries(
    desc.fields.flatMap((field) => {
      const value = field.fieldKind === "message" && reflected.isSet(field) ? reflected.get(field).message : undefined;
      return isMessage(value, FieldMaskSchema) ? [[field.jsonName, { paths: value.paths }]] : [];
    }),
  );
}

/** The request as protobuf JSON. It is bound as the server binds it, so that both samples make one call. */
function protobufJson(
  { route, bodyExample }: OperationFacts,
  variables: SampleCall["variables"],
  query: SampleCall["query"],
): JsonObject {
  const reader = new JsonReader({ style: restStyle, ignoresUnknownFields: false, registry: createRegistry() });
  const violations = new ViolationCollector();
  const message = compileRequestBinder(route, reader)(
    { variables, query, body: bodyExample === undefined ? { kind: "empty" } : { kind: "json", json: bodyExample } },
    violations,
  );
  return { ...Object(toJson(route.method.input, message)), ...fieldMasks(route.method.input, message) };
}
