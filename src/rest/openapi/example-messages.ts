import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isRequired, rulesOf } from "../field-rules.ts";
import {
  isAlwaysWritten,
  isChoiceWrapper,
  isListWrapper,
  type JsonStyle,
  jsonEnumNames,
  jsonFieldName,
} from "../json/json-style.ts";
import { valueTypeOf } from "../json/value-type.ts";
import type { Direction } from "./value-schema.ts";

/** Where examples come from, beyond the `example` rules of `buf.validate`. */
export interface ExampleSource {
  /** The example of a field, as JSON has it. */
  readonly field?: (field: DescField) => JsonValue | undefined;
  /** The example of a whole message, as JSON has it. */
  readonly message?: (message: DescMessage) => JsonObject | undefined;
  /** For a list of messages: what sets its items apart from the example of their type, one entry an item. */
  readonly items?: (field: DescField) => readonly JsonObject[] | undefined;
  /** What sets the reply of a method apart from the example of its type. */
  readonly reply?: (method: DescMethod) => JsonObject | undefined;
}

/** Longer chains of messages in messages are cut: a recursive type has no end. */
const maxDepth = 6;

/** Makes up examples of fields and messages. Whatever the source does not know is taken from the type. */
export class Examples {
  readonly #style: JsonStyle;
  readonly #source: ExampleSource;

  constructor(style: JsonStyle, source: ExampleSource) {
    this.#style = style;
    this.#source = source;
  }

  /** The example that somebody chose for a field. */
  ofField(field: DescField): JsonValue | undefined {
    const chosen = this.#source.field?.(field);
    if (chosen !== undefined) {
      return chosen;
    }
    const [ruled] = asList(rulesOf(field).own.get("example"));
    return isPlain(ruled) ? ruled : undefined;
  }

  /** An example of any field. */
  anyOfField(field: DescField, direction: Direction, depth = 0): JsonValue {
    const chosen = this.ofField(field);
    if (chosen !== undefined) {
      return chosen;
    }
    if (field.fieldKind === "list") {
      const item = this.#single(field, direction, depth);
      const variants = this.#source.items?.(field) ?? [{}];
      return isObject(item) ? variants.map((variant) => ({ ...item, ...variant })) : [item];
    }
    return field.fieldKind === "map" ? {} : this.#single(field, direction, depth);
  }

  /**
   * An example of a message. Responses have every field, except those that the style leaves out when they are unset; requests those that are required or, if none is, those that
   * somebody chose an example for.
   */
  ofMessage(
    message: DescMessage,
    direction: Direction,
    includes: (field: DescField) => boolean = () => true,
    depth = 0,
  ): JsonObject {
    const known = this.#source.message?.(message);
    if (known !== undefined) {
      return known;
    }
    const fields = message.fields.filter(includes);
    const required = fields.filter((field) => isRequired(field));
    const named =
      direction === "response"
        ? fields.filter((field) => isAlwaysWritten(field, this.#style) || this.#style.unsetFields === "omitted")
        : required.length > 0
          ? required
          : fields.filter((field) => this.ofField(field) !== undefined);
    return Object.fromEntries(
      named
        .filter((field) => field.oneof === undefined || field.oneof.fields[0] === field || direction === "response")
        .map((field) => [jsonFieldName(field, this.#style), this.#member(field, direction, depth)]),
    );
  }

  /** An example of what a method answers: the response, or the field of it that the body has. */
  ofReply(method: DescMethod, field: DescField | undefined): JsonValue {
    const example =
      field === undefined ? this.ofMessage(method.output, "response") : this.anyOfField(field, "response");
    return isObject(example) ? { ...example, ...this.#source.reply?.(method) } : example;
  }

  #member(field: DescField, direction: Direction, depth: number): JsonValue {
    const isHidden = field.oneof !== undefined && field.oneof.fields[0] !== field;
    const mayBeNull = this.#style.unsetFields === "null" && field.presence !== FeatureSet_FieldPresence.IMPLICIT;
    return mayBeNull && (isHidden || depth >= maxDepth) ? null : this.anyOfField(field, direction, depth);
  }

  #single(field: DescField, direction: Direction, depth: number): JsonValue {
    const type = valueTypeOf(field);
    switch (type.kind) {
      case "scalar":
        return scalarExample(field, type.scalar);
      case "enum":
        return jsonEnumNames(type.enum, this.#style)[0] ?? "";
      case "message": {
        const [wrapped] = type.message.fields;
        if (this.#style.unwrapsLists && wrapped !== undefined && isListWrapper(type.message)) {
          return this.anyOfField(wrapped, direction, depth + 1);
        }
        if (
          direction === "response" &&
          this.#style.unwrapsChoices &&
          wrapped !== undefined &&
          isChoiceWrapper(type.message)
        ) {
          return this.anyOfField(wrapped, direction, depth + 1);
        }
        return (
          wellKnownExample(type.message) ??
          (depth >= maxDepth ? {} : this.ofMessage(type.message, direction, () => true, depth + 1))
        );
      }
    }
  }
}

function scalarExample(field: DescField, scalar: ScalarType): JsonValue {
  const { own, items } = rulesOf(field);
  const rules = field.fieldKind === "list" ? (items?.own ?? own) : own;
  const [allowed] = asList(rules.get("in"));
  const minimum = rules.get("gte");
  switch (scalar) {
    case ScalarType.STRING:
      return typeof allowed === "string" ? allowed : "string";
    case ScalarType.BOOL:
      return true;
    case ScalarType.BYTES:
      return "Ynl0ZXM=";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return "1";
    default:
      return typeof allowed === "number" ? allowed : typeof minimum === "number" ? minimum : 1;
  }
}

function wellKnownExample(message: DescMessage): JsonValue | undefined {
  switch (message.typeName) {
    case "google.protobuf.Timestamp":
      return "2026-06-15T09:42:00Z";
    case "google.protobuf.Duration":
      return "1.5s";
    case "google.protobuf.FieldMask":
      return "";
    case "google.protobuf.Value":
      return "anything";
    case "google.protobuf.ListValue":
      return [];
    case "google.protobuf.Struct":
    case "google.protobuf.Any":
      return {};
    default:
      return isWrapperDesc(message) ? scalarExample(message.fields[0], message.fields[0].scalar) : undefined;
  }
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): value is JsonValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
