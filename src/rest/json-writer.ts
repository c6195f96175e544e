import { type DescField, type DescMessage, isMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { enumWriter, mistyped, scalarWriter, type WriteValue, writeString } from "./json-scalar-text.ts";
import { isListWrapper, type JsonOptions, jsonFieldName } from "./json-style.ts";
import { wellKnownWriter } from "./json-well-known-text.ts";
import { getField, isMembers, type Members, type ValueType, valueTypeOf } from "./value-type.ts";

/** Writes a message as JSON text. Throws on values that JSON or the type cannot express. */
export type WriteMessage = (message: Message) => string;

/** Writes a field as a member of a JSON object, `"name":value`, or the empty string where it is left out. */
type WriteMember = (members: Members) => string;

/** Turns messages into JSON text. A writer is compiled once per message type. */
export class JsonWriter {
  readonly options: JsonOptions;
  readonly #messages = new Map<DescMessage, WriteMessage>();

  constructor(options: JsonOptions) {
    this.options = options;
  }

  /** The writer of a message type. */
  message(desc: DescMessage): WriteMessage {
    return this.#messages.get(desc) ?? this.#compile(desc);
  }

  /** The writer of one field's value alone, without its name. An unset field is `null`. */
  field(field: DescField): WriteMessage {
    const read = fieldGetter(field);
    const write = this.#fieldValue(field);
    return (message) => {
      const value = read(message);
      return value === undefined ? "null" : write(value);
    };
  }

  #compile(desc: DescMessage): WriteMessage {
    const special = wellKnownWriter(desc, this.options, (held) => this.message(held));
    if (special !== undefined) {
      this.#messages.set(desc, special);
      return special;
    }
    const writeMembers: WriteMember[] = [];
    const write: WriteMessage = (message) => {
      const members: Members = message;
      let text = "";
      for (const writeMember of writeMembers) {
        const member = writeMember(members);
        if (member !== "") {
          text += text === "" ? member : `,${member}`;
        }
      }
      return `{${text}}`;
    };
    // Known before its fields are compiled, so that a recursive type finds itself.
    this.#messages.set(desc, write);
    for (const field of desc.fields) {
      writeMembers.push(this.#member(field));
    }
    return write;
  }

  #member(field: DescField): WriteMember {
    const { style } = this.options;
    const key = `${writeString(jsonFieldName(field, style))}:`;
    const read = fieldGetter(field);
    const write = this.#fieldValue(field);
    const isOmitted = style.unsetFields === "omitted" ? defaultCheck(field) : () => false;
    const unset = style.unsetFields === "omitted" ? "" : `${key}null`;
    return (members) => {
      const value = read(members);
      if (value === undefined) {
        return unset;
      }
      return isOmitted(value) ? "" : key + write(value);
    };
  }

  #fieldValue(field: DescField): WriteValue {
    const write = this.#value(valueTypeOf(field));
    switch (field.fieldKind) {
      case "list":
        return (items) => writeItems(items, write);
      case "map":
        return (entries) => writeEntries(entries, write);
      default:
        return write;
    }
  }

  #value(type: ValueType): WriteValue {
    if (type.kind === "scalar") {
      return scalarWriter(type.scalar);
    }
    if (type.kind === "enum") {
      return enumWriter(type.enum, this.options.style);
    }
    const { held, message } = type;
    const [field] = message.fields;
    if (held === "json") {
      return (json) => JSON.stringify(json);
    }
    if (held === "value" && field?.fieldKind === "scalar") {
      return scalarWriter(field.scalar);
    }
    if (this.options.style.unwrapsLists && field !== undefined && isListWrapper(message)) {
      return this.#wrappedList(message, field);
    }
    const write = this.message(message);
    return (value) => (isMessage(value) ? write(value) : mistyped(value, message.typeName));
  }

  #wrappedList(desc: DescMessage, field: DescField): WriteValue {
    let write: WriteValue | undefined;
    return (value) => {
      // Compiled when first used: the list may hold its own wrapper.
      write ??= this.#value(valueTypeOf(field));
      return isMembers(value) ? writeItems(value[field.localName], write) : mistyped(value, desc.typeName);
    };
  }
}

/** Compiles the access to a field; `undefined` where it has presence and is unset. */
function fieldGetter(field: DescField): (members: Members) => unknown {
  const name = field.localName;
  if (field.oneof !== undefined) {
    return (members) => getField(members, field);
  }
  const hasPresence = field.presence !== FeatureSet_FieldPresence.IMPLICIT;
  if (hasPresence && field.parent.file.edition !== Edition.EDITION_PROTO3) {
    // Messages of other editions have their default values in the prototype.
    return (members) => (Object.hasOwn(members, name) ? members[name] : undefined);
  }
  return (members) => members[name];
}

/** Compiles the check whether a field without presence has its default value, which ProtoJSON leaves out. */
function defaultCheck(field: DescField): (value: unknown) => boolean {
  switch (field.fieldKind) {
    case "list":
      return (value) => Array.isArray(value) && value.length === 0;
    case "map":
      return (value) => isMembers(value) && Object.keys(value).length === 0;
    default:
      break;
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    return () => false;
  }
  if (field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES) {
    return (value) => value instanceof Uint8Array && value.length === 0;
  }
  const zeros: readonly unknown[] = field.fieldKind === "enum" ? [field.enum.values[0]?.number] : ["", false, 0n, "0"];
  // Not -0, which is another value than 0.
  return (value) => Object.is(value, 0) || zeros.includes(value);
}

function writeItems(items: unknown, write: WriteValue): string {
  if (!Array.isArray(items)) {
    return mistyped(items, "a list");
  }
  let text = "";
  for (const item of items) {
    text += text === "" ? write(item) : `,${write(item)}`;
  }
  return `[${text}]`;
}

function writeEntries(entries: unknown, write: WriteValue): string {
  if (!isMembers(entries)) {
    return mistyped(entries, "a map");
  }
  let text = "";
  for (const key of Object.keys(entries)) {
    text += `${text === "" ? "" : ","}${writeString(key)}:${write(entries[key])}`;
  }
  return `{${text}}`;
}
