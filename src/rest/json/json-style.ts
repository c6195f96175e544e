import type { DescEnum, DescField, DescMessage, Registry } from "@bufbuild/protobuf";

/** The choices that one JSON dialect of protobuf messages consists of. */
export interface JsonStyle {
  /** How fields and the paths of field masks are written: as in the proto file, or in lowerCamelCase (`json_name`). */
  readonly fieldNames: "proto" | "json";
  /** Whether a body may use the other name of a field too. Query parameters always may. */
  readonly acceptsBothNames: boolean;
  /** `words`: without the enum's prefix, in lower case (`CHANNEL_EMAIL` is `email`). `names`: as in the proto file. */
  readonly enumValues: "words" | "names";
  /**
   * `null`: an unset field that has presence is `null`, every other field is always there, and `null` is read as unset,
   * also for a `google.protobuf.Value`. `omitted`: an unset field,
   * or one without presence that has its default value, is left out.
   */
  readonly unsetFields: "null" | "omitted";
  /** Whether timestamps are cut to whole seconds when written. */
  readonly wholeSeconds: boolean;
  /** Whether a message that only wraps a list is written as the list; see {@link isListWrapper}. */
  readonly unwrapsLists: boolean;
  /** Whether numbers of up to 32 bits, and floating-point ones, may be written in quotes, and enums as numbers. */
  readonly lenientNumbers: boolean;
  /** Whether strings may contain U+0000, which many stores cannot keep. */
  readonly acceptsNul: boolean;
}

/** What the reader and the writer of messages go by. */
export interface JsonOptions {
  readonly style: JsonStyle;
  /** Whether unknown members of an object are ignored, and not violations. */
  readonly ignoresUnknownFields: boolean;
  /** How violations name fields. By default as the style does. */
  readonly violationNames?: JsonStyle["fieldNames"];
  /** The types that a `google.protobuf.Any` may hold. */
  readonly registry: Registry;
}

/** Plain, predictable JSON: `snake_case`, lower-case words, `null` for unset, one way to write each value. */
export const restJson: JsonStyle = {
  fieldNames: "proto",
  acceptsBothNames: false,
  enumValues: "words",
  unsetFields: "null",
  wholeSeconds: true,
  unwrapsLists: true,
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
  lenientNumbers: true,
  acceptsNul: true,
};

/** The name under which a field is written. */
export function jsonFieldName(field: DescField, style: Pick<JsonStyle, "fieldNames">): string {
  return style.fieldNames === "proto" ? field.name : field.jsonName;
}

/**
 * Whether the message type only wraps a list: it has exactly one field, and that one is repeated. With
 * `unwrapsLists`, fields of such a type are written as the list itself, so that unset and empty differ. The type is
 * written as an object where it is the whole request or response.
 */
export function isListWrapper(message: DescMessage): boolean {
  const [field, ...others] = message.fields;
  return field?.fieldKind === "list" && others.length === 0 && !message.typeName.startsWith("google.protobuf.");
}

/** How a value of an enum is written. */
export function jsonEnumName(enumType: DescEnum, valueName: string, style: JsonStyle): string {
  if (style.enumValues === "names") {
    return valueName;
  }
  const prefix = `${upperSnakeCase(enumType.name)}_`;
  const bare = valueName.startsWith(prefix) ? valueName.slice(prefix.length) : valueName;
  return bare.toLowerCase();
}

/**
 * The values of an enum that a client may send, as they are written, in order of declaration. In words, the zero value
 * is left out if it is the one that means "not given" (`CHANNEL_UNSPECIFIED`).
 */
export function jsonEnumNames(enumType: DescEnum, style: JsonStyle): string[] {
  return enumType.values
    .map((value) => ({ number: value.number, name: jsonEnumName(enumType, value.name, style) }))
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
