import { type DescField, type DescMessage, isMessage, ScalarType } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { isAlwaysWritten, isChoiceWrapper, isListWrapper, type JsonOptions, jsonFieldName } from "./json-style.ts";
import { enumWriter, mistyped, scalarWriter, type WriteMessage, type WriteValue } from "./scalar-writer.ts";
import { getField, isMembers, type Members, membersOf, setOwn, type ValueType, valueTypeOf } from "./value-type.ts";
import { wellKnownWriter } from "./well-known-writer.ts";

/** Writes a field of a message as a member of a JSON object, or leaves it out. */
type WriteMember = (members: Members, json: Members) => void;

/** Turns messages into JSON. A writer is compiled once for each message type. */
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
      return value === undefined ? null : write(value);
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
      const members = membersOf(message);
      const json: Members = {};
      for (const writeMember of writeMembers) {
        writeMember(members, json);
      }
      return json;
    };
    // Registered before its fields are compiled, since a recursive type refers to itself.
    this.#messages.set(desc, write);
    for (const field of desc.fields) {
      writeMembers.push(this.#member(field));
    }
    return write;
  }

  #member(field: DescField): WriteMember {
    const { style } = this.options;
    const name = jsonFieldName(field, style);
    const read = fieldGetter(field);
    const write = this.#fieldValue(field);
    if (isAlwaysWritten(field, style)) {
      return (members, json) => {
        const value = read(members);
        setOwn(json, name, value === undefined ? null : write(value));
      };
    }
    const isDefault = style.unsetFields === "null" ? () => false : defaultCheck(field);
    return (members, json) => {
      const value = read(members);
      if (value !== undefined && !isDefault(value)) {
        setOwn(json, name, write(value));
      }
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
      return (json) => json;
    }
    if (held === "value" && field?.fieldKind === "scalar") {
      return scalarWriter(field.scalar);
    }
    if (this.options.style.unwrapsLists && field !== undefined && isListWrapper(message)) {
      return this.#wrappedList(message, field);
    }
    if (this.options.style.unwrapsChoices && isChoiceWrapper(message)) {
      return this.#wrappedChoice(message);
    }
    const write = this.message(message);
    return (value) => (isMessage(value) ? write(value) : mistyped(value, message.typeName));
  }

  #wrappedList(desc: DescMessage, field: DescField): WriteValue {
    let write: WriteValue | undefined;
    return (value) => {
      // Compiled at the first use, since the list may contain its own wrapper.
      write ??= this.#value(valueTypeOf(field));
      return isMembers(value) ? writeItems(value[field.localName], write) : mistyped(value, desc.typeName);
    };
  }

  #wrappedChoice(desc: DescMessage): WriteValue {
    let choices: readonly { readonly read: (members: Members) => unknown; readonly write: WriteValue }[] | undefined;
    return (value) => {
      if (!isMembers(value)) {
        return mistyped(value, desc.typeName);
      }
      // Compiled at the first use, since a choice may contain its own wrapper.
      choices ??= desc.fields.map((field) => ({ read: fieldGetter(field), write: this.#fieldValue(field) }));
      for (const { read, write } of choices) {
        const chosen = read(value);
        if (chosen !== undefined) {
          return write(chosen);
        }
      }
      return null;
    };
  }
}

/** Compiles the access to a field, which returns `undefined` if it has presence and is unset. */
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
  // -0 is not the default value.
  return (value) => Object.is(value, 0) || zeros.includes(value);
}

function writeItems(items: unknown, write: WriteValue): unknown {
  return Array.isArray(items) ? items.map((item) => write(item)) : mistyped(items, "a list");
}

function writeEntries(entries: unknown, write: WriteValue): unknown {
  if (!isMembers(entries)) {
    return mistyped(entries, "a map");
  }
  const json: Members = {};
  for (const key of Object.keys(entries)) {
    setOwn(json, key, write(entries[key]));
  }
  return json;
}
