import { createRegistry, type DescField, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { isRequired } from "../field-rules.ts";
import { JsonReader } from "../json/json-reader.ts";
import { isListWrapper, type JsonStyle } from "../json/json-style.ts";
import { type QueryParameter, QueryParameters } from "../query-parameters.ts";
import type { Route } from "../route.ts";
import type { Examples } from "./example-messages.ts";
import type { MessageSchemas } from "./message-schemas.ts";
import type { PathPart } from "./openapi-path.ts";
import { commentOf } from "./proto-comments.ts";

/** A parameter of an operation: its OpenAPI object, and its value in samples. */
export interface Parameter {
  readonly in: "path" | "query";
  readonly name: string;
  readonly required: boolean;
  /** The value in samples: a chosen example; for a required parameter otherwise any valid value. */
  readonly example: JsonValue | undefined;
  readonly json: JsonObject;
}

/** Query parameters of messages in messages are documented down to this depth. */
const maxQueryDepth = 4;

/** The parameters in the path of a route. */
export function pathParameters(parts: readonly PathPart[], schemas: MessageSchemas, examples: Examples): Parameter[] {
  return parts.map(({ name, field, isWhole, takesSlashes }) => {
    const { description, ...schema } =
      field !== undefined && isWhole ? schemas.value(field, "request") : partSchema(field);
    const example = field !== undefined && isWhole ? examples.anyOfField(field, "request") : "string";
    const notes = [description, takesSlashes ? "May hold several segments, with slashes between them." : ""];
    return parameter({ in: "path", name, required: true, schema, example, description: joinNotes(notes) });
  });
}

/** The parameters in the query of a route, in order of declaration. */
export function queryParameters(
  route: Route,
  {
    style,
    schemas,
    examples,
    hidesParameter,
  }: {
    readonly style: JsonStyle;
    readonly schemas: MessageSchemas;
    readonly examples: Examples;
    readonly hidesParameter: (field: DescField) => boolean;
  },
): Parameter[] {
  const reader = new JsonReader({ style, ignoresUnknownFields: false, registry: createRegistry() });
  return new QueryParameters(route, reader).all(maxQueryDepth).flatMap((query) => {
    const field = documentedField(query);
    if (field === undefined || hidesParameter(field)) {
      return [];
    }
    const { description, ...schema } = schemas.value(field, "request");
    const required = query.fields.length === 1 && isRequired(field);
    const example = required ? examples.anyOfField(field, "request") : examples.ofField(field);
    return parameter({
      in: "query",
      name: query.name,
      required,
      schema,
      example,
      description: joinNotes([description]),
    });
  });
}

/** The field whose comment and rules describe a parameter: for a list wrapper, the field of that type. */
function documentedField({ fields }: QueryParameter): DescField | undefined {
  const last = fields.at(-1);
  const holder = fields.at(-2);
  return last !== undefined && holder !== undefined && isListWrapper(last.parent) ? holder : last;
}

function partSchema(field: DescField | undefined): JsonObject {
  const comment = field === undefined ? "" : commentOf(field);
  return { type: "string", ...(comment === "" ? {} : { description: comment }) };
}

function parameter(parts: {
  readonly in: "path" | "query";
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonObject;
  readonly example: JsonValue | undefined;
  readonly description: string;
}): Parameter {
  const { name, required, example, description } = parts;
  const { examples: _, ...schema } = parts.schema;
  const json = {
    in: parts.in,
    name,
    ...(required ? { required } : {}),
    ...(description === "" ? {} : { description }),
    schema,
    ...(example === undefined ? {} : { example }),
  };
  return { in: parts.in, name, required, example, json };
}

function joinNotes(notes: readonly (JsonValue | undefined)[]): string {
  return notes.filter((note) => typeof note === "string" && note !== "").join("\n\n");
}
