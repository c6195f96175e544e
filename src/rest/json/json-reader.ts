import { create, type DescField, type DescMessage, isMessage } from "@bufbuild/protobuf";
import type { ViolationCollector } from "../field-violations.ts";
import { InvalidValue, isRepeated, notAnObject } from "../field-violations.ts";
import { anyReader } from "./any-reader.ts";
import { mapKeyReader, readEntries, readItems } from "./collection-reader.ts";
import { isListWrapper, type JsonOptions, type JsonStyle, jsonFieldName } from "./json-style.ts";
import { enumReader, type ReadJson, type ReadMessage, type ReadValue, scalarReader } from "./scalar-reader.ts";
import { plainObjectReader, structReader } from "./struct-reader.ts";
import { isMembers, type Members, membersOf, setField, type ValueType, valueTypeOf } from "./value-type.ts";
import { wellKnownScalarReader } from "./well-known-reader.ts";

/** Reads the JSON of a field into a message. `null` leaves the field unset. */
export type ReadField = (json: unknown, members: Members, violations: ViolationCollector) => void;

/**
 * Turns parsed JSON into messages. A reader is compiled once for each message type. It reports every violation and reads on. It
 * recurses as deep as the JSON is nested, which the caller must limit.
 */
export class JsonReader {
  readonly options: JsonOptions;
  readonly #messages = new Map<DescMessage, ReadMessage>();

  constructor(options: JsonOptions) {
    this.options = options;
  }

  /** The reader of a message type. */
  message(desc: DescMessage): ReadMessage {
    return this.#messages.get(desc) ?? this.#compile(desc);
  }

  /** The reader of one field. */
  field(field: DescField): ReadField {
    const name = this.#violationName(field);
    const type = valueTypeOf(field);
    if (field.fieldKind === "list") {
      const read = this.#value(type);
      return this.#composite(field, name, (json, violations) => readItems(json, read, violations));
    }
    if (field.fieldKind === "map") {
      const read = this.#value(type);
      const readKey = mapKeyReader(field.mapKey, this.options.style);
      return this.#composite(field, name, (json, violations) => readEntries(json, readKey, read, violations));
    }
    const leaf = this.leaf(type);
    return leaf === undefined
      ? this.#composite(field, name, this.#value(type))
      : leafField(field, name, leaf, this.options.style);
  }

  /** The reader of a value whose JSON is a scalar; `undefined` for other types. */
  leaf(type: ValueType): ReadValue | undefined {
    switch (type.kind) {
      case "scalar":
        return scalarReader(type.scalar, type.longAsString, this.options.style, type.range);
      case "enum":
        return enumReader(type.enum, this.options.style);
      case "message":
        return wellKnownScalarReader(type.message, type.held === "value", this.options.style);
    }
  }

  #violationName(field: DescField): string {
    const { style, violationNames } = this.options;
    return jsonFieldName(field, { fieldNames: violationNames ?? style.fieldNames });
  }

  #compile(desc: DescMessage): ReadMessage {
    const { ignoresUnknownFields, style } = this.options;
    const wellKnown = this.#wellKnown(desc);
    if (wellKnown !== undefined) {
      const read = ofMessage(wellKnown);
      this.#messages.set(desc, read);
      return read;
    }
    const fields = new Map<string, FieldEntry>();
    const known = desc.fields.map((field) => this.#violationName(field));
    const mayRepeat = style.acceptsBothNames || desc.oneofs.length > 0;
    const read: ReadMessage = (json, violations) => {
      if (!isMembers(json)) {
        violations.add(notAnObject.message);
        return undefined;
      }
      const message = create(desc);
      const members = membersOf(message);
      const seen = mayRepeat ? new Set<unknown>() : undefined;
      for (const key of Object.keys(json)) {
        const entry = fields.get(key);
        if (entry !== undefined) {
          if (seen === undefined || isFirst(entry, json[key], seen, violations)) {
            entry.read(json[key], members, violations);
          }
        } else if (!ignoresUnknownFields) {
          violations.addUnknown(known, key);
        }
      }
      return message;
    };
    // Registered before its fields are compiled, since a recursive type refers to itself.
    this.#messages.set(desc, read);
    for (const field of desc.fields) {
      const name = this.#violationName(field);
      const entry = { field, name, read: this.field(field), keepsNull: nullIsValue(field, style) };
      fields.set(jsonFieldName(field, style), entry);
      if (style.acceptsBothNames) {
        fields.set(field.name, entry);
      }
    }
    return read;
  }

  /** The reader of a well-known type; `undefined` for other types. */
  #wellKnown(desc: DescMessage): ReadJson | undefined {
    const leaf = this.leaf({ kind: "message", message: desc, held: "message" });
    if (leaf !== undefined) {
      return reporting(leaf);
    }
    if (desc.typeName === "google.protobuf.Any") {
      return anyReader(this.options, (held) => this.message(held));
    }
    return structReader(desc, this.options.style);
  }

  #composite(field: DescField, name: string, read: ReadJson): ReadField {
    const keepsNull = nullIsValue(field, this.options.style);
    return (json, members, violations) => {
      if (json === null && !keepsNull) {
        return;
      }
      violations.enter(name);
      const value = read(json, violations);
      violations.leave();
      if (value !== undefined) {
        setField(members, field, value);
      }
    };
  }

  /** The reader of one value: of a singular field, a list element or a map value. */
  #value(type: ValueType): ReadJson {
    const leaf = this.leaf(type);
    if (leaf !== undefined) {
      return reporting(leaf);
    }
    if (type.kind !== "message") {
      throw new TypeError(`no JSON is known for ${type.kind}`);
    }
    if (type.held === "json") {
      return plainObjectReader(this.options.style);
    }
    if (this.options.style.unwrapsLists && isListWrapper(type.message)) {
      return this.#wrappedList(type.message);
    }
    return this.message(type.message);
  }

  #wrappedList(desc: DescMessage): ReadJson {
    const [field] = desc.fields;
    let read: ReadJson | undefined;
    return (json, violations) => {
      if (field === undefined) {
        return undefined;
      }
      // Compiled at the first use, since the list may contain its own wrapper.
      read ??= this.#value(valueTypeOf(field));
      const items = readItems(json, read, violations);
      return items === undefined ? undefined : create(desc, { [field.localName]: items });
    };
  }
}

interface FieldEntry {
  readonly field: DescField;
  readonly name: string;
  readonly read: ReadField;
  /** Whether `null` is one of the field's values. */
  readonly keepsNull: boolean;
}

function leafField(field: DescField, name: string, read: ReadValue, style: JsonStyle): ReadField {
  const keepsNull = nullIsValue(field, style);
  return (json, members, violations) => {
    if (json === null && !keepsNull) {
      return;
    }
    const value = read(json);
    if (value instanceof InvalidValue) {
      violations.add(value.message, name);
    } else {
      setField(members, field, value);
    }
  };
}

function reporting(read: ReadValue): ReadJson {
  return (json, violations) => {
    const value = read(json);
    if (value instanceof InvalidValue) {
      violations.add(value.message);
      return undefined;
    }
    return value;
  };
}

function ofMessage(read: ReadJson): ReadMessage {
  return (json, violations) => {
    const value = read(json, violations);
    return isMessage(value) ? value : undefined;
  };
}

/** Whether `null` is a value of the field instead of "unset". Never in styles that write unset fields as `null`. */
function nullIsValue(field: DescField, style: JsonStyle): boolean {
  if (style.unsetFields === "null") {
    return false;
  }
  return (
    (field.fieldKind === "enum" && field.enum.typeName === "google.protobuf.NullValue") ||
    (field.fieldKind === "message" && field.message.typeName === "google.protobuf.Value")
  );
}

/** Reports a field that was read before under its other name, and a second member of a oneof. Returns whether it is neither. */
function isFirst(entry: FieldEntry, json: unknown, seen: Set<unknown>, violations: ViolationCollector): boolean {
  const { field, name } = entry;
  if (seen.has(field)) {
    violations.add(isRepeated.message, name);
    return false;
  }
  seen.add(field);
  if (field.oneof === undefined || (json === null && !entry.keepsNull)) {
    return true;
  }
  if (seen.has(field.oneof)) {
    violations.add(`must not be given together with another of ${field.oneof.name}`, name);
    return false;
  }
  seen.add(field.oneof);
  return true;
}
