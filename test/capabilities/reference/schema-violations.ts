/** Values that do not fit a JSON Schema, each for one keyword of it. */

import type { Schema } from "./openapi-document.ts";
import type { ObjectSchema } from "./request-arbitrary.ts";
import {
  isSchemas,
  lengthOf,
  type Members,
  matches,
  numberOf,
  resolve,
  schemaOf,
  typesOf,
} from "./schema-arbitrary.ts";

/** A value that a schema refuses, and the keyword that does. */
export interface Violation {
  readonly keyword: string;
  /** Undefined: the member is left out. */
  readonly value: unknown;
}

type Schemas = Readonly<Record<string, Schema>>;

/** Values of a member that break one keyword each, made out of one that fits. */
function violationsOf(given: Schema, fitting: unknown, schemas: Schemas): Violation[] {
  const schema = resolve(given, schemas);
  if (Array.isArray(schema.anyOf)) {
    const { anyOf, ...others } = schema;
    const options = anyOf.map((option: Schema) => resolve({ ...others, ...option }, schemas));
    // What one of them refuses is made so that no other takes it.
    return violationsOf({ ...options[0], type: [...new Set(options.flatMap(typesOf))] }, fitting, schemas);
  }
  const wrongTypes = [null, 1.5, "text", true, [], {}].filter(
    (value) => !typesOf(schema).some((type) => isOf(type, value)),
  );
  return [
    ...wrongTypes.map((value) => ({ keyword: "type", value })),
    ...(Array.isArray(schema.enum) ? [{ keyword: "enum", value: "bogus" }] : []),
    ...ofNumbers(schema),
    ...(typesOf(schema).includes("string") && !Array.isArray(schema.enum) ? ofTexts(schema, fitting) : []),
    ...ofLists(schema, fitting, schemas),
    ...ofObjects(schema, fitting, schemas),
  ];
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function ofNumbers({ minimum, maximum }: Schema): Violation[] {
  const [min, max] = [numberOf(minimum), numberOf(maximum)];
  return [
    ...(min === undefined ? [] : [{ keyword: "minimum", value: min - 1 }]),
    ...(max === undefined ? [] : [{ keyword: "maximum", value: max + 1 }]),
  ];
}

/** Of each pattern one of these does not match, or it says nothing. */
const oddTexts = ["a\0b", "\0", "two\nlines", "\x85", " ", "%", "é", "Ünï cödé", "bogus bogus", "!", "x@y@z", "_", "-"];
const notOfFormats: Readonly<Record<string, string>> = {
  "date-time": "2026-06-15 09:42",
  hostname: "-example-.com",
  "idn-email": "nobody",
};

function ofTexts({ format, minLength, maxLength, pattern }: Schema, fitting: unknown): Violation[] {
  const [min, max] = [numberOf(minLength) ?? 0, numberOf(maxLength) ?? Number.POSITIVE_INFINITY];
  const text = String(fitting);
  const isOdd = (odd: string) => lengthOf(odd) >= min && lengthOf(odd) <= max && !matches(odd, pattern);
  return [
    ...(min > 0 ? [{ keyword: "minLength", value: text.slice(0, min - 1) }] : []),
    ...(Number.isFinite(max)
      ? [{ keyword: "maxLength", value: text + (text.at(-1) ?? "x").repeat(Math.max(0, max + 1 - lengthOf(text))) }]
      : []),
    ...(pattern === undefined ? [] : oddTexts.filter(isOdd).map((value) => ({ keyword: "pattern", value }))),
    ...(typeof format === "string" ? [{ keyword: "format", value: notOfFormats[format] }] : []),
  ];
}

function ofLists({ items, minItems, maxItems, uniqueItems }: Schema, fitting: unknown, schemas: Schemas): Violation[] {
  if (items === undefined) {
    return [];
  }
  const [first, ...others]: unknown[] = Array.isArray(fitting) ? fitting : [];
  const [min, max] = [numberOf(minItems), numberOf(maxItems)];
  return [
    ...(min === undefined ? [] : [{ keyword: "minItems", value: [first, ...others].slice(0, min - 1) }]),
    ...(max === undefined ? [] : [{ keyword: "maxItems", value: Array.from({ length: max + 1 }, () => first) }]),
    ...(uniqueItems === true ? [{ keyword: "uniqueItems", value: [first, first] }] : []),
    ...violationsOf(schemaOf(items), first, schemas).map(({ keyword, value }) => ({
      keyword: `items.${keyword}`,
      value: [value, ...others],
    })),
  ];
}

function ofObjects(schema: Schema, fitting: unknown, schemas: Schemas): Violation[] {
  if (!typesOf(schema).includes("object")) {
    return [];
  }
  if (isSchemas(schema.properties)) {
    const members = typeof fitting === "object" && fitting !== null ? fitting : {};
    const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
    return violationsOfMembers({ properties: schema.properties, required }, { ...members }, schemas).map(
      ({ name, keyword, value }) => ({ keyword: `${name}.${keyword}`, value: { ...members, [name]: value } }),
    );
  }
  const { maxProperties, propertyNames, additionalProperties } = schema;
  const max = numberOf(maxProperties);
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
  return [
    ...(max === undefined ? [] : [{ keyword: "maxProperties", value: many(max + 1) }]),
    ...(propertyNames === undefined
      ? []
      : ofTexts(schemaOf(propertyNames), "k").map(({ keyword, value }) => ({
          keyword: `propertyNames.${keyword}`,
          value: { [String(value)]: "v" },
        }))),
    ...violationsOf(schemaOf(additionalProperties), "v", schemas).map(({ keyword, value }) => ({
      keyword: `additionalProperties.${keyword}`,
      value: { k: value },
    })),
  ];
}

/** A violation of a named member. */
export interface MemberViolation extends Violation {
  readonly name: string;
}

/** What breaks an object: in each of its members, one that is missing, and one that there is not. */
export function violationsOfMembers(
  { properties, required }: ObjectSchema,
  fitting: Members,
  schemas: Schemas,
): MemberViolation[] {
  return [
    ...Object.entries(properties).flatMap(([name, schema]) =>
      violationsOf(schema, fitting[name] ?? exampleOf(resolve(schema, schemas)), schemas).map((violation) => ({
        name,
        ...violation,
      })),
    ),
    ...required.map((name) => ({ keyword: "required", name, value: undefined })),
    { keyword: "additionalProperties", name: "bogus", value: "x" },
  ];
}

function exampleOf({ examples }: Schema): unknown {
  return Array.isArray(examples) ? examples[0] : undefined;
}
