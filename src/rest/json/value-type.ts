import type { DescEnum, DescField, DescMessage, Message, MessageShape, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { noRules, rulesOf } from "../field-rules.ts";

/** The type of one value: of a singular field, a list element or a map value. */
export type ValueType =
  | {
      readonly kind: "scalar";
      readonly scalar: ScalarType;
      readonly longAsString: boolean;
      /** The range of a number by the field's rules, both ends included; violations name it. */
      readonly range: ValueRange | undefined;
    }
  | { readonly kind: "enum"; readonly enum: DescEnum }
  | { readonly kind: "message"; readonly message: DescMessage; readonly held: "message" | "value" | "json" };

export interface ValueRange {
  readonly min: number | bigint;
  readonly max: number | bigint;
}

/**
 * The type of a field's values, and their representation in messages (`held`): `google.protobuf.Struct` is plain JSON, and a wrapper
 * in a singular field outside of a oneof is the bare value.
 */
export function valueTypeOf(field: DescField): ValueType {
  if (field.scalar !== undefined) {
    const longAsString = field.fieldKind !== "map" && field.longAsString;
    return { kind: "scalar", scalar: field.scalar, longAsString, range: rangeOf(field) };
  }
  if (field.enum !== undefined) {
    return { kind: "enum", enum: field.enum };
  }
  const message = field.message;
  if (message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") {
    return { kind: "message", message, held: "json" };
  }
  const isBare = field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(message);
  return { kind: "message", message, held: isBare ? "value" : "message" };
}

function rangeOf(field: DescField): ValueRange | undefined {
  const rules = rulesOf(field);
  const { own } =
    (field.fieldKind === "list" ? rules.items : field.fieldKind === "map" ? rules.values : rules) ?? noRules;
  const [min, max] = [own.get("gte"), own.get("lte")];
  return isNumeric(min) && isNumeric(max) ? { min, max } : undefined;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** The members of a message, or of a JSON object, by name. */
export type Members = Record<string, unknown>;

/** The members of a message, by the names that generated code has for them. */
export function membersOf(message: Message): Members {
  return message;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a field; in a oneof, it becomes the selected member. */
export function setField(members: Members, field: DescField, value: unknown): void {
  if (field.oneof === undefined) {
    members[field.localName] = value;
  } else {
    members[field.oneof.localName] = { case: field.localName, value };
  }
}

/** Reads a singular field's value; `undefined` if it is in a oneof and not the selected member. */
export function getField(members: Members, field: DescField): unknown {
  if (field.oneof === undefined) {
    return members[field.localName];
  }
  const selected = members[field.oneof.localName];
  return isMembers(selected) && selected.case === field.localName ? selected.value : undefined;
}

/** Whether a message is of the given type. */
export function isType<Desc extends DescMessage>(message: Message, desc: Desc): message is MessageShape<Desc> {
  return message.$typeName === desc.typeName;
}

/** Sets a property, also `__proto__`, whose assignment would change the prototype. */
export function setOwn(members: Members, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(members, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    members[key] = value;
  }
}
