import type { DescEnum, DescEnumValue, DescField, DescMessage, Registry } from "@bufbuild/protobuf";

/** How protobuf messages are written as JSON: the choices in which dialects differ. */
export interface JsonStyle {
  /** Names of fields, also in field masks: `proto` as in the proto file, `json` in lowerCamelCase (`json_name`). */
  readonly fieldNames: "proto" | "json";
  /** Whether bodies may use either name of a field. Query parameters always may. */
  readonly acceptsBothNames: boolean;
  /** `words`: without the enum's prefix, in lower case (`CHANNEL_EMAIL` is `email`). `names`: as in the proto file. */
  readonly enumValues: "words" | "names";
  /** With `words`: the word for a value, if it is not the one by that rule. Default: none has one. */
  readonly enumWord?: (value: DescEnumValue) => string | undefined;
  /**
   * `null`: every field is written, unset ones with presence as `null`; `null` is read as unset, also for a `google.protobuf.Value`.
   * `omitted`: unset fields, and fields without presence that have their default value, are left out.
   */
  readonly unsetFields: "null" | "omitted";
  /** With `null`: whether a field with presence is left out all the same when it is unset. Default: none is. */
  readonly omitsUnset?: (field: DescField) => boolean;
  /** Whether timestamps are written without their fraction of a second. */
  readonly wholeSeconds: boolean;
  /** Whether a message that only wraps a list is written as the list; see {@link isListWrapper}. */
  readonly unwrapsLists: boolean;
  /**
   * Whether a message that only wraps a choice between messages is written as the chosen one; see {@link isChoiceWrapper}. It is read
   * with the name of the choice, because the chosen message does not tell its type.
   */
  readonly unwrapsChoices: boolean;
  /** Whether numbers of up to 32 bits, and floating-point ones, may be written in quotes, and enums as numbers. */
  readonly lenientNumbers: boolean;
  /** Whether strings may contain U+0000, which PostgreSQL and other stores cannot hold. */
  readonly acceptsNul: boolean;
}

/** Options of the reader and the writer of messages. */
export interface JsonOptions {
  readonly style: JsonStyle;
  /** Whether unknown members of an object are ignored, and not violations. */
  readonly ignoresUnknownFields: boolean;
  /** Names of fields in violations; by default those of the style. */
  readonly violationNames?: JsonStyle["fieldNames"];
  /** The types that a `google.protobuf.Any` may contain. */
  readonly registry: Registry;
}

/** JSON for REST: `snake_case`, enum values in lower case, `null` for unset fields, one form for each value. */
export const restJson: JsonStyle = {
  fieldNames: "proto",
  acceptsBothNames: false,
  enumValues: "words",
  unsetFields: "null",
  wholeSeconds: true,
  unwrapsLists: true,
  unwrapsChoices: true,
  lenientNumbers: false,
  acceptsNul: false,
};

/** ProtoJSON (https://protobuf.dev/programming-guides/json), as other protobuf implementations read and write it. */
export const protoJson: JsonStyle = {
  fieldNames: "json",
  acceptsBothNames: true,
  enumValues: "names",
  unsetFields: "omitted",
  wholeSeconds: false,
  unwrapsLists: false,
  unwrapsChoices: false,
  lenientNumbers: true,
  acceptsNul: true,
};

/** The name of a field in JSON. */
export function jsonFieldName(field: DescField, style: Pick<JsonStyle, "fieldNames">): string {
  return style.fieldNames === "proto" ? field.name : field.jsonName;
}

/** Whether a field of a response is always written. */
export function isAlwaysWritten(field: DescField, style: JsonStyle): boolean {
  return style.unsetFields === "null" && style.omitsUnset?.(field) !== true;
}

/**
 * Whether the message type only wraps a list: it has exactly one field, which is repeated. With `unwrapsLists`, fields of such a type
 * are written as the list, so that an unset list and an empty one differ. As the whole request or response it is an object.
 */
export function isListWrapper(message: DescMessage): boolean {
  const [field, ...others] = message.fields;
  return field?.fieldKind === "list" && others.length === 0 && !message.typeName.startsWith("google.protobuf.");
}

/**
 * Whether the message type only wraps a choice: all of its fields are messages, and belong to one oneof. With `unwrapsChoices`, fields
 * of such a type are written as the chosen message. As the whole response it is an object with the name of the choice.
 */
export function isChoiceWrapper(message: DescMessage): boolean {
  const [choice, ...others] = message.oneofs;
  return (
    choice !== undefined &&
    others.length === 0 &&
    message.fields.every((field) => field.oneof === choice && field.fieldKind === "message") &&
    !message.typeName.startsWith("google.protobuf.")
  );
}

/** The name of an enum value in JSON. */
export function jsonEnumName(value: DescEnumValue, style: JsonStyle): string {
  if (style.enumValues === "names") {
    return value.name;
  }
  const prefix = `${upperSnakeCase(value.parent.name)}_`;
  const bare = value.name.startsWith(prefix) ? value.name.slice(prefix.length) : value.name;
  return style.enumWord?.(value) ?? bare.toLowerCase();
}

/**
 * The enum values that a client may send, by their names in JSON, in order of declaration. With `words`, the zero value is left out if
 * it is called `…_UNSPECIFIED`.
 */
export function jsonEnumNames(enumType: DescEnum, style: JsonStyle): string[] {
  return enumType.values
    .map((value) => ({ number: value.number, name: jsonEnumName(value, style) }))
    .filter(({ number, name }) => style.enumValues === "names" || number !== 0 || name !== "unspecified")
    .map(({ name }) => name);
}

/** `StatusCode` → `STATUS_CODE`, `HTTPMethod` → `HTTP_METHOD`. */
function upperSnakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();
}
