import { create, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { FieldMaskSchema, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { isListWrapper, type JsonStyle, jsonFieldName } from "./json/json-style.ts";
import { getField, isMembers, type Members, setField } from "./json/value-type.ts";
import type { Route } from "./route.ts";

/**
 * Compiles the function that fills the update mask of a `PATCH` request. If the request message has exactly one field of type
 * `google.protobuf.FieldMask` and the request leaves it unset, it gets the paths of the fields in the body: the innermost ones of nested
 * messages, without those that the path binds. `undefined` for other routes.
 */
export function updateMaskFromBody(
  route: Route,
  style: JsonStyle,
): ((members: Members, json: unknown) => void) | undefined {
  const { body, httpMethod, method, pathParameters } = route;
  if (httpMethod !== "PATCH" || body.kind !== "field" || body.field.fieldKind !== "message") {
    return undefined;
  }
  const [mask, ...others] = method.input.fields.filter(isMaskField);
  if (mask === undefined || others.length > 0) {
    return undefined;
  }
  const { field } = body;
  const bound = new Set(pathParameters.map(({ fieldPath }) => fieldPath));
  return (members, json) => {
    if (getField(members, mask) === undefined) {
      const paths = presentFields(json, field.message, style).filter((path) => !bound.has(`${field.name}.${path}`));
      setField(members, mask, create(FieldMaskSchema, { paths }));
    }
  };
}

function isMaskField(field: DescField): boolean {
  return field.fieldKind === "message" && field.message.typeName === FieldMaskSchema.typeName;
}

/** The paths of the fields that are present in a message's JSON, in proto names. */
function presentFields(json: unknown, message: DescMessage, style: JsonStyle): string[] {
  if (!isMembers(json)) {
    return [];
  }
  return message.fields
    .filter((field) => isPresent(json, field, style))
    .flatMap((field) => {
      const value = json[jsonFieldName(field, style)] ?? json[field.name];
      const inner = hasPathsInside(field, style) ? presentFields(value, field.message, style) : [];
      return inner.length === 0 ? [field.name] : inner.map((path) => `${field.name}.${path}`);
    });
}

function isPresent(json: Members, field: DescField, style: JsonStyle): boolean {
  return (
    Object.hasOwn(json, jsonFieldName(field, style)) || (style.acceptsBothNames && Object.hasOwn(json, field.name))
  );
}

function hasPathsInside(field: DescField, style: JsonStyle): field is DescField & { fieldKind: "message" } {
  return (
    field.fieldKind === "message" &&
    !hasCustomJsonRepresentation(field.message) &&
    !(style.unwrapsLists && isListWrapper(field.message))
  );
}
