import { type DescEnum, type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { isRequired, noRules, type Rules, rulesOf } from "../field-rules.ts";
import {
  isAlwaysWritten,
  isChoiceWrapper,
  isListWrapper,
  type JsonStyle,
  jsonEnumName,
  jsonEnumNames,
  jsonFieldName,
} from "../json/json-style.ts";
import { type ValueType, valueTypeOf } from "../json/value-type.ts";
import type { ComponentNames } from "./component-names.ts";
import type { Examples } from "./example-messages.ts";
import { commentOf } from "./proto-comments.ts";
import { ruleKeywords } from "./rule-keywords.ts";
import { type Direction, orNull, scalarSchema, wellKnownSchema } from "./value-schema.ts";

export interface SchemaOptions {
  readonly style: JsonStyle;
  readonly examples: Examples;
  readonly names: ComponentNames;
  /** Whether a response field with presence is always set. */
  readonly isAlwaysSet: (field: DescField) => boolean;
  /** Whether an optional request field is documented without `null`. */
  readonly withoutNull: (field: DescField) => boolean;
  /** Keywords beyond the rules of a field of a request: of its value, or of each element of a list. */
  readonly keywords: (field: DescField) => JsonObject;
  /** The component that describes a field's value, or each element of a list, in place of its type. */
  readonly componentOf: (field: DescField, direction: Direction) => string | undefined;
  /** Whether responses may have values of the enum that the document does not list. */
  readonly mayGrow: (enumType: DescEnum) => boolean;
  /** Turns a comment into the text of a description. */
  readonly describe: (comment: string) => string;
}

/** Turns message types into JSON MessageSchemas, one component for each, as {@link JsonStyle} has them read and written. */
export class MessageSchemas {
  readonly #options: SchemaOptions;
  readonly #components = new Map<string, JsonObject>();

  constructor(options: SchemaOptions) {
    this.#options = options;
  }

  /** All component schemas so far, by name. */
  components(): JsonObject {
    return Object.fromEntries([...this.#components].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** The schema of a message: a reference to its component, or the schema of a well-known type. */
  message(message: DescMessage, direction: Direction): JsonObject {
    const special = wellKnownSchema(message, direction);
    if (special !== undefined) {
      return special;
    }
    const name = this.#options.names.ofMessage(message, direction);
    return this.#component(name, () => this.#object(message, direction, () => true));
  }

  /** The schema of a request's body with the fields for which `includes` is true: a reference to a component. */
  body(message: DescMessage, includes: (field: DescField) => boolean): JsonObject {
    const fields = message.fields.filter(includes);
    if (fields.length === message.fields.length) {
      return this.message(message, "request");
    }
    return this.#component(this.#options.names.ofBody(message, fields), () =>
      this.#object(message, "request", includes),
    );
  }

  /** The schema of a message as an inline object, with the fields for which `includes` is true. */
  #object(message: DescMessage, direction: Direction, includes: (field: DescField) => boolean): JsonObject {
    const { describe, style } = this.#options;
    const fields = message.fields.filter(includes);
    const required = fields.filter((field) => this.#isRequired(field, direction));
    const description = describe(commentOf(message));
    return {
      type: "object",
      ...(description === "" ? {} : { description }),
      ...(required.length === 0 ? {} : { required: required.map((field) => jsonFieldName(field, style)) }),
      properties: Object.fromEntries(
        fields.map((field) => [jsonFieldName(field, style), this.field(field, direction)]),
      ),
      ...(direction === "request" ? { additionalProperties: false } : {}),
    };
  }

  /** The schema of a field as a member of an object. */
  field(field: DescField, direction: Direction): JsonObject {
    const value = this.value(field, direction);
    return this.#options.style.unsetFields === "null" && this.#mayBeNull(field, direction) ? orNull(value) : value;
  }

  /** In a request, `null` means unset for any optional field; in a response, only fields with presence can be unset. */
  #mayBeNull(field: DescField, direction: Direction): boolean {
    const { isAlwaysSet, withoutNull } = this.#options;
    return direction === "request"
      ? !isRequired(field) && !withoutNull(field)
      : field.presence !== FeatureSet_FieldPresence.IMPLICIT &&
          !isAlwaysSet(field) &&
          isAlwaysWritten(field, this.#options.style);
  }

  /** The schema of a field's value when it is set. */
  value(field: DescField, direction: Direction): JsonObject {
    const rules = rulesOf(field);
    const shape = this.#shape(field, rules, direction);
    const bounded = direction === "request" && rules.required ? { ...shape, ...nonZero(field), ...shape } : shape;
    return { ...bounded, ...this.#notes(field) };
  }

  /**
   * The description and an example. No `default`, since generators for TypeScript take a field that has one for a required one: what is
   * left out means, the comment says.
   */
  #notes(field: DescField): JsonObject {
    const { describe, examples } = this.#options;
    const comment = commentOf(field);
    const example = examples.ofField(field);
    const description = [describe(comment), oneofNote(field)].filter((text) => text !== "").join("\n\n");
    return {
      ...(description === "" ? {} : { description }),
      ...(example === undefined || example === null ? {} : { examples: [example] }),
    };
  }

  #shape(field: DescField, rules: Rules, direction: Direction): JsonObject {
    const type = valueTypeOf(field);
    const further = direction === "request" ? this.#options.keywords(field) : {};
    if (field.fieldKind === "list") {
      const items =
        this.#componentOf(field, direction) ?? this.#single(type, rules.items ?? noRules, direction, further);
      return { type: "array", items, ...ruleKeywords(rules.own) };
    }
    if (field.fieldKind === "map") {
      const values = this.#single(type, rules.values ?? noRules, direction, further);
      const keys = { ...mapKeySchema(field.mapKey), ...ruleKeywords(rules.keys?.own ?? noRules.own) };
      const names = field.mapKey === ScalarType.STRING ? this.#text(keys, direction) : keys;
      return {
        type: "object",
        ...(Object.keys(names).length === 0 ? {} : { propertyNames: names }),
        additionalProperties: values,
        ...ruleKeywords(rules.own),
      };
    }
    return this.#componentOf(field, direction) ?? this.#single(type, rules, direction, further);
  }

  #componentOf(field: DescField, direction: Direction): JsonObject | undefined {
    const name = this.#options.componentOf(field, direction);
    return name === undefined ? undefined : referenceTo(name);
  }

  #single(type: ValueType, rules: Rules, direction: Direction, further: JsonObject = {}): JsonObject {
    if (type.kind === "scalar") {
      // A list of the values says it all. openapi-zod-client writes code that does not compile for an `enum` with a `pattern`.
      const ruled = "enum" in further ? {} : ruleKeywords(rules.own);
      const schema = { ...scalarSchema(type.scalar, direction), ...ruled, ...further };
      return type.scalar === ScalarType.STRING ? this.#text(schema, direction) : schema;
    }
    if (type.kind === "enum") {
      return this.#enum(type.enum, rules, direction);
    }
    const [wrapped] = type.message.fields;
    if (this.#options.style.unwrapsLists && wrapped !== undefined && isListWrapper(type.message)) {
      return this.#shape(wrapped, rulesOf(wrapped), direction);
    }
    if (direction === "response" && this.#options.style.unwrapsChoices && isChoiceWrapper(type.message)) {
      return this.#choice(type.message);
    }
    return { ...this.message(type.message, direction), ...further };
  }

  /** A choice between messages in a response: `oneOf`, since ogen has no code for `anyOf`. */
  #choice(message: DescMessage): JsonObject {
    const { describe, names } = this.#options;
    return this.#component(names.ofMessage(message, "response"), () => {
      const description = describe(commentOf(message));
      return {
        ...(description === "" ? {} : { description }),
        oneOf: message.fields.map((field) => this.#single(valueTypeOf(field), noRules, "response")),
      };
    });
  }

  /** A string of a request, which must not contain U+0000 in some styles. Strings with keywords of their own exclude it by these. */
  #text(schema: JsonObject, direction: Direction): JsonObject {
    const isOpen = textKeywords.every((keyword) => !(keyword in schema));
    return direction === "request" && isOpen && !this.#options.style.acceptsNul
      ? { ...schema, pattern: withoutNul }
      : schema;
  }

  #enum(enumType: DescEnum, { own }: Rules, direction: Direction): JsonObject {
    if (enumType.typeName === "google.protobuf.NullValue") {
      return { type: "null" };
    }
    const { names, style } = this.#options;
    const all = jsonEnumNames(enumType, style);
    if (direction === "response" && this.#options.mayGrow(enumType)) {
      // Clients in strict languages fail on a value that an `enum` does not list.
      return { type: "string", "x-extensible-enum": [...all] };
    }
    const allowed = enumType.values
      .filter(({ number }) => isAllowed(number, own))
      .map((value) => jsonEnumName(value, style))
      .filter((name) => all.includes(name));
    const restricted = allowed.length < all.length;
    return restricted
      ? this.#enumOf(enumType, allowed)
      : this.#component(names.ofEnum(enumType), () => this.#enumOf(enumType, all));
  }

  #enumOf(enumType: DescEnum, allowed: readonly string[]): JsonObject {
    const { describe, style } = this.#options;
    const values = enumType.values
      .map((value) => ({ name: jsonEnumName(value, style), text: describe(commentOf(value)) }))
      .filter(({ name }) => allowed.includes(name));
    const description = describe(commentOf(enumType));
    return {
      type: "string",
      enum: values.map(({ name }) => name),
      ...(description === "" ? {} : { description }),
      ...(values.every(({ text }) => text === "")
        ? {}
        : // In the order of `enum`, as OpenAPI Generator reads it; each is one line of a comment there.
          { "x-enum-descriptions": values.map(({ text }) => text.replace(/\s+/g, " ")) }),
    };
  }

  #component(name: string, build: () => JsonObject): JsonObject {
    if (!this.#components.has(name)) {
      // Registered before it is built, since a recursive type refers to itself.
      this.#components.set(name, {});
      this.#components.set(name, build());
    }
    return referenceTo(name);
  }

  /** Requests require fields by their rules; responses all fields, unless the style leaves out unset ones. */
  #isRequired(field: DescField, direction: Direction): boolean {
    return direction === "request" ? isRequired(field) : isAlwaysWritten(field, this.#options.style);
  }
}

function referenceTo(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** Keywords that restrict which strings are valid. */
const textKeywords = ["pattern", "enum", "const", "format"];

const withoutNul = "^[^\\x00]*$";

function isAllowed(number: number, rules: Rules["own"]): boolean {
  const only = rules.get("in");
  const never = rules.get("not_in");
  const exactly = rules.get("const");
  return (
    (!Array.isArray(only) || only.includes(number)) &&
    (!Array.isArray(never) || !never.includes(number)) &&
    (exactly === undefined || exactly === number)
  );
}

/** A field without presence that is required must not have its zero value either. */
function nonZero(field: DescField): JsonObject {
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return {};
  }
  switch (field.fieldKind) {
    case "list":
      return { minItems: 1 };
    case "map":
      return { minProperties: 1 };
    case "scalar":
      return nonZeroScalar(field.scalar);
    default:
      return {};
  }
}

function nonZeroScalar(scalar: ScalarType): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return { minLength: 1 };
    case ScalarType.BOOL:
      return { const: true };
    default:
      return { not: { enum: [0, "0"] } };
  }
}

function mapKeySchema(scalar: ScalarType): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return {};
    case ScalarType.BOOL:
      return { enum: ["true", "false"] };
    default:
      return { pattern: "^-?[0-9]+$" };
  }
}

function oneofNote(field: DescField): string {
  const others = field.oneof?.fields.filter((other) => other !== field).map((other) => `\`${other.name}\``) ?? [];
  return others.length === 0 ? "" : `Not together with ${others.join(", ")}.`;
}
