import type { DescMessage } from "@bufbuild/protobuf";
import { type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

/** Requests accept several forms of some values; responses have one form of each. */
export type Direction = "request" | "response";

/** The schema of a scalar as JSON has it. */
export function scalarSchema(scalar: ScalarType, direction: Direction): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", format: "int32" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0, maximum: 4_294_967_295 };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: direction === "request" ? ["string", "integer"] : "string", format: "int64" };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: direction === "request" ? ["string", "integer"] : "string", pattern: "^[0-9]+$" };
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return { anyOf: [{ type: "number" }, { type: "string", enum: ["NaN", "Infinity", "-Infinity"] }] };
  }
}

/** The schema of a well-known type; `undefined` for other types. */
export function wellKnownSchema(message: DescMessage, direction: Direction): JsonObject | undefined {
  switch (message.typeName) {
    case "google.protobuf.Timestamp":
      // No pattern beside it: clients in PHP and pydantic have an object there, to which they cannot apply one.
      return { type: "string", format: "date-time" };
    case "google.protobuf.Duration":
      return { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$", examples: ["1.5s"] };
    case "google.protobuf.FieldMask":
      return { type: "string", description: "Names of fields, with dots before nested ones, separated by commas." };
    case "google.protobuf.Struct":
      return { type: "object" };
    case "google.protobuf.ListValue":
      return { type: "array", items: {} };
    case "google.protobuf.Value":
      return {};
    case "google.protobuf.Any":
      return { type: "object", properties: { "@type": { type: "string" } } };
    default:
      return isWrapperDesc(message) ? scalarSchema(message.fields[0].scalar, direction) : undefined;
  }
}

/** The schema that allows `null` too. */
export function orNull(schema: JsonObject): JsonObject {
  const { type, enum: values, description, examples, ...others } = schema;
  const notes = pickDefined({ description, examples });
  if (Object.keys(others).length === 0 && type === undefined && values === undefined) {
    return schema;
  }
  if (type === undefined) {
    return { anyOf: [values === undefined ? others : { enum: values, ...others }, { type: "null" }], ...notes };
  }
  const types = Array.isArray(type) ? type : [type];
  return {
    type: [...types, "null"],
    ...(Array.isArray(values) ? { enum: [...values, null] } : {}),
    ...others,
    ...notes,
  };
}

function pickDefined(members: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  const picked: JsonObject = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) {
      picked[name] = value;
    }
  }
  return picked;
}
