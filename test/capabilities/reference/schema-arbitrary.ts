/** Values that fit a JSON Schema, made out of the schema alone: its lengths and bounds to the last, its patterns and formats. */
import fc from "fast-check";
import type { Schema } from "./openapi-document.ts";

export type Members = Readonly<Record<string, unknown>>;

/** Longer texts are made of no schema that does not name a length. */
const longestUnbounded = 300;

export class SchemaArbitraries {
  readonly #schemas: Readonly<Record<string, Schema>>;

  /** `schemas` are the document's, by the names that references have. */
  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.#schemas = schemas;
  }

  /** Everything that fits the schema. Throws for keywords that it does not know. */
  of(given: Schema): fc.Arbitrary<unknown> {
    const schema = resolve(given, this.#schemas);
    requireKnown(schema);
    if (Array.isArray(schema.enum)) {
      return fc.constantFrom(...schema.enum);
    }
    if (Array.isArray(schema.anyOf)) {
      const { anyOf, ...others } = schema;
      return fc.oneof(...anyOf.map((option: Schema) => this.of({ ...others, ...option })));
    }
    return fc.oneof(...typesOf(schema).map((type) => this.#ofType(type, schema)));
  }

  /** Objects with these members. */
  members(properties: Readonly<Record<string, Schema>>, required: readonly string[]): fc.Arbitrary<Members> {
    const arbitraries = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, this.of(schema)]));
    return fc.record(arbitraries, { requiredKeys: [...required] });
  }

  #ofType(type: string, schema: Schema): fc.Arbitrary<unknown> {
    switch (type) {
      case "null":
        return fc.constant(null);
      case "boolean":
        return fc.boolean();
      case "integer":
        return integers(schema);
      case "string":
        return texts(schema);
      case "array":
        return this.#lists(schema);
      case "object":
        return isSchemas(schema.properties)
          ? this.members(schema.properties, namesOf(schema.required))
          : this.#entries(schema);
      default:
        throw new TypeError(`teach this generator about the type ${type}`);
    }
  }

  #lists({ items, minItems, maxItems, uniqueItems }: Schema): fc.Arbitrary<unknown> {
    const item = this.of(schemaOf(items));
    const bounds = { minLength: numberOf(minItems) ?? 0, maxLength: numberOf(maxItems) ?? 10 };
    const draw = uniqueItems === true ? fc.uniqueArray : fc.array;
    const fullest = uniqueItems === true ? bounds : { ...bounds, minLength: bounds.maxLength };
    return fc.oneof({ weight: 4, arbitrary: draw(item, bounds) }, { weight: 1, arbitrary: draw(item, fullest) });
  }

  /** Objects with names that nobody declared. */
  #entries({ propertyNames, additionalProperties, maxProperties }: Schema): fc.Arbitrary<unknown> {
    const names = texts(propertyNames === undefined ? {} : resolve(schemaOf(propertyNames), this.#schemas));
    const values = this.of(schemaOf(additionalProperties));
    const maxKeys = numberOf(maxProperties) ?? 10;
    return fc.oneof(
      { weight: 4, arbitrary: fc.dictionary(names, values, { maxKeys }) },
      { weight: 1, arbitrary: fc.dictionary(names, values, { minKeys: maxKeys, maxKeys }) },
    );
  }
}

const known = new Set([
  ...["$ref", "type", "enum", "anyOf", "format", "pattern", "minLength", "maxLength", "minimum", "maximum"],
  ...["items", "minItems", "maxItems", "uniqueItems", "required", "properties", "additionalProperties"],
  ...["propertyNames", "maxProperties", "description", "default", "examples", "x-enum-descriptions"],
]);

function requireKnown(schema: Schema): void {
  const unknown = Object.keys(schema).filter((keyword) => !known.has(keyword));
  if (unknown.length > 0) {
    throw new TypeError(`teach this generator about ${unknown.join(", ")}`);
  }
}

/** A schema with what it refers to in place. */
export function resolve(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  const { $ref, ...others } = schema;
  return typeof $ref === "string"
    ? { ...resolve(schemas[$ref.split("/").at(-1) ?? ""] ?? {}, schemas), ...others }
    : schema;
}

export function typesOf({ type }: Schema): string[] {
  return [type].flat().map(String);
}

function integers({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  const [min, max] = [numberOf(minimum), numberOf(maximum)];
  if (min === undefined || max === undefined) {
    throw new TypeError("teach this generator about integers without bounds");
  }
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));
}

function texts({ format, pattern, minLength, maxLength }: Schema): fc.Arbitrary<string> {
  const [min, max] = [numberOf(minLength) ?? 0, numberOf(maxLength) ?? longestUnbounded];
  const fits = (text: string) => lengthOf(text) >= min && lengthOf(text) <= max && matches(text, pattern);
  if (typeof format === "string") {
    const arbitrary = formats[format];
    if (arbitrary === undefined) {
      throw new TypeError(`teach this generator about the format ${format}`);
    }
    return arbitrary.filter(fits);
  }
  const [, unit] = /^\^(\[(?:\\.|[^\]\\])+\])[*+]\$$/.exec(String(pattern)) ?? [];
  return pattern === undefined || unit !== undefined
    ? textsOf(charactersOf(unit), min, max)
    : longToo(fc.stringMatching(new RegExp(String(pattern), "u"), { maxLength: max }), max, fits).filter(fits);
}

/** Any characters, or those of a class. Every length is drawn, and the shortest and the longest are drawn often. */
function textsOf(unit: fc.Arbitrary<string>, min: number, max: number): fc.Arbitrary<string> {
  const between = (minLength: number, maxLength: number) =>
    fc.array(unit, { minLength, maxLength }).map((characters) => characters.join(""));
  return fc.oneof(
    { weight: 4, arbitrary: between(min, max) },
    { weight: 1, arbitrary: between(min, min) },
    { weight: 1, arbitrary: between(max, max) },
  );
}

const character = (codePoint: number) => String.fromCodePoint(codePoint);
/** From ASCII, from all of Unicode, and those at the ends of ranges that classes name. */
const anyCharacters = fc.oneof(
  fc.integer({ min: 0x20, max: 0x7e }).map(character),
  fc
    .integer({ min: 0, max: 0x10_ff_ff })
    .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
    .map(character),
  fc.constantFrom(..."\0\x1f \x7f\x80\x9f\xa0\u2028\ud7ff\ue000\uffff"),
);

function charactersOf(characterClass: string | undefined): fc.Arbitrary<string> {
  const isOne = new RegExp(`^${characterClass ?? "[^]"}$`, "u");
  return anyCharacters.filter((text) => isOne.test(text));
}

/** Makes some of the texts as long as they may be, by repeating how they end. */
function longToo(texts: fc.Arbitrary<string>, max: number, fits: (text: string) => boolean): fc.Arbitrary<string> {
  return fc.tuple(texts, fc.integer({ min: 0, max: 4 })).map(([text, chance]) => {
    const longest = text + (text.at(-1) ?? "").repeat(Math.max(0, max - lengthOf(text)));
    return chance === 0 && fits(longest) ? longest : text;
  });
}

export const lengthOf = (text: string) => [...text].length;
export const matches = (text: string, pattern: unknown) =>
  typeof pattern !== "string" || new RegExp(pattern, "u").test(text);

/** RFC 3339, up to the nanosecond. The first and the last year are left out: an offset can lead beyond what there are years for. */
const times: fc.Arbitrary<string> = fc
  .tuple(
    fc.date({ min: new Date("0002-01-01T00:00:00Z"), max: new Date("9998-12-31T23:59:59Z"), noInvalidDate: true }),
    fc.constantFrom("", ".5", ".123456", ".999999999"),
    fc.constantFrom("Z", "z", "+00:00", "-00:00", "+05:30", "-23:59"),
  )
  .map(([date, fraction, offset]) => date.toISOString().slice(0, 19) + fraction + offset);

const formats: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "date-time": times,
  hostname: fc.domain(),
  "idn-email": fc.emailAddress(),
};

export const numberOf = (value: unknown) => (typeof value === "number" ? value : undefined);
export const namesOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

export function isSchemas(value: unknown): value is Readonly<Record<string, Schema>> {
  return typeof value === "object" && value !== null;
}

export function schemaOf(value: unknown): Schema {
  if (!isSchemas(value)) {
    throw new TypeError(`teach this generator about ${JSON.stringify(value)} as a schema`);
  }
  return value;
}
