import { type OpenApi, type Schema, schemaOf } from "./openapi-shape.ts";

/** A field of a request or of a response, or a parameter, as the reference describes it. */
export interface Field {
  readonly name: string;
  /** In words: `string`, `array of strings`, `object`. */
  readonly type: string;
  readonly isRequired: boolean;
  readonly isNullable: boolean;
  /** In words: `1 to 40 characters`. */
  readonly rules: readonly string[];
  /** Markdown. */
  readonly description: string;
  readonly values: readonly { readonly value: string; readonly description: string }[];
  readonly children: readonly Field[];
}

/** Fields of a body are described down to this depth: a message may contain itself. */
const maxDepth = 5;

/** The fields of an object, in the order of its schema. */
export function fieldsOf(document: OpenApi, schema: Schema, depth = 0): readonly Field[] {
  const { properties = {}, required = [] } = objectIn(document, schema) ?? {};
  return Object.entries(properties).map(([name, property]) =>
    fieldOf(document, { name, schema: property, isRequired: required.includes(name) }, depth),
  );
}

/** A field, or a parameter, with the fields in it. */
export function fieldOf(
  document: OpenApi,
  { name, schema, isRequired }: { readonly name: string; readonly schema: Schema; readonly isRequired: boolean },
  depth = 0,
): Field {
  const { description = "" } = schema;
  const { schema: resolved, isNullable } = withoutNull(document, schema);
  const inner = objectIn(document, resolved);
  const described = enumIn(document, resolved);
  return {
    name,
    type: typeInWords(document, resolved),
    isRequired,
    isNullable,
    rules: rulesOf(resolved),
    description: description || (resolved.description ?? ""),
    values: described === undefined ? [] : valuesOf(described),
    children: inner === undefined || depth >= maxDepth ? [] : fieldsOf(document, inner, depth + 1),
  };
}

/** The schema without the alternative `null`, and whether it had one. */
function withoutNull(document: OpenApi, schema: Schema): { readonly schema: Schema; readonly isNullable: boolean } {
  const resolved = schemaOf(document, schema);
  const choices = resolved.anyOf ?? resolved.oneOf ?? [];
  const others = choices.filter(({ type }) => type !== "null");
  if (others.length === 1 && others[0] !== undefined) {
    const { anyOf: _, oneOf: __, ...beside } = resolved;
    return { schema: { ...schemaOf(document, others[0]), ...beside }, isNullable: choices.length === 2 };
  }
  return { schema: resolved, isNullable: listOf(resolved.type).includes("null") };
}

/** The object whose fields are shown: the value itself, or each element of a list. */
function objectIn(document: OpenApi, schema: Schema): Schema | undefined {
  const { schema: resolved } = withoutNull(document, schema);
  if (resolved.properties !== undefined) {
    return resolved;
  }
  return resolved.items === undefined ? undefined : objectIn(document, resolved.items);
}

/** The enum of the value, or of each element of a list. */
function enumIn(document: OpenApi, schema: Schema): Schema | undefined {
  if (valueNames(schema).length > 0) {
    return schema;
  }
  return schema.items === undefined ? undefined : enumIn(document, schemaOf(document, schema.items));
}

function valueNames(schema: Schema): readonly string[] {
  return schema.enum ?? schema["x-extensible-enum"] ?? [];
}

function valuesOf(schema: Schema): Field["values"] {
  const { "x-enum-descriptions": descriptions = [] } = schema;
  return valueNames(schema).map((value, index) => ({
    value,
    description: descriptions[index] ?? "",
  }));
}

function typeInWords(document: OpenApi, schema: Schema): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    return [...new Set(choices.map((one) => typeInWords(document, schemaOf(document, one))))].join(" or ");
  }
  const type = listOf(schema.type).find((name) => name !== "null") ?? "any value";
  if (type === "array" && schema.items !== undefined) {
    return `array of ${plural(typeInWords(document, withoutNull(document, schema.items).schema))}`;
  }
  if (type === "object" && typeof schema.additionalProperties === "object") {
    return `map of ${plural(typeInWords(document, schemaOf(document, schema.additionalProperties)))}`;
  }
  if (type === "string" && schema.format === "date-time") {
    return "timestamp";
  }
  return type === "string" && valueNames(schema).length > 0 ? "enum" : type;
}

function plural(type: string): string {
  return /^(any|array|map)/.test(type) ? type : `${type}s`;
}

function rulesOf({ minLength, maxLength, minimum, maximum, minItems, maxItems, maxProperties }: Schema): string[] {
  return [
    rangeInWords(minLength, maxLength, "characters"),
    rangeInWords(minimum, maximum, ""),
    rangeInWords(minItems, maxItems, "elements"),
    rangeInWords(undefined, maxProperties, "entries"),
  ].filter((rule) => rule !== "");
}

function rangeInWords(min: number | undefined, max: number | undefined, unit: string): string {
  const text = (value: number) => value.toLocaleString("en");
  const words =
    min !== undefined && max !== undefined
      ? `${text(min)} to ${text(max)}`
      : min !== undefined && min > 1
        ? `at least ${text(min)}`
        : max !== undefined
          ? `at most ${text(max)}`
          : "";
  return words === "" ? "" : `${words} ${unit}`.trim();
}

function listOf(type: Schema["type"]): readonly string[] {
  return typeof type === "string" ? [type] : (type ?? []);
}
