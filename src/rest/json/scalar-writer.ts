import { type DescEnum, type Message, ScalarType } from "@bufbuild/protobuf";
import { type JsonStyle, jsonEnumName } from "./json-style.ts";

/**
 * Turns a message into a value for `JSON.stringify`. Throws on values without a JSON form. The result may share objects with the
 * message.
 */
export type WriteMessage = (message: Message) => unknown;

declare global {
  interface JSON {
    /** A value that `JSON.stringify` writes as the given text. Part of ECMAScript; not yet of TypeScript's library. */
    rawJSON(text: string): unknown;
  }
}

/** Turns a value of a message into its JSON. Throws on a value that is not of the type. */
export type WriteValue = (value: unknown) => unknown;

/** Compiles the writer of a scalar. */
export function scalarWriter(scalar: ScalarType): WriteValue {
  switch (scalar) {
    case ScalarType.STRING:
      return (value) => (typeof value === "string" ? value : mistyped(value, "a string"));
    case ScalarType.BOOL:
      return (value) => (typeof value === "boolean" ? value : mistyped(value, "a boolean"));
    case ScalarType.BYTES:
      return writeBytes;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return writeInt64;
    case ScalarType.FLOAT:
      return (value) => (typeof value === "number" ? writeFloat(shortestFloat32(value)) : mistyped(value, "a number"));
    case ScalarType.DOUBLE:
      return (value) => (typeof value === "number" ? writeFloat(value) : mistyped(value, "a number"));
    default:
      return (value) => (Number.isInteger(value) ? value : mistyped(value, "an integer"));
  }
}

/** Compiles the writer of an enum. A value without a name is written as its number. */
export function enumWriter(enumType: DescEnum, style: JsonStyle): WriteValue {
  if (enumType.typeName === "google.protobuf.NullValue") {
    return () => null;
  }
  const names = new Map<unknown, string>();
  for (const value of enumType.values) {
    if (!names.has(value.number)) {
      names.set(value.number, jsonEnumName(value, style));
    }
  }
  return (value) => names.get(value) ?? (Number.isInteger(value) ? value : mistyped(value, "an enum's number"));
}

/** Throws the error for a response whose value is not of its field's type. */
export function mistyped(value: unknown, expected: string): never {
  throw new TypeError(`expected ${expected} to write as JSON, got ${typeof value}`);
}

function writeBytes(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) {
    return mistyped(value, "bytes");
  }
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

function writeInt64(value: unknown): unknown {
  // A string where the field has the option `jstype = JS_STRING`.
  return typeof value === "bigint" || typeof value === "string" ? String(value) : mistyped(value, "a 64-bit integer");
}

function writeFloat(value: number): unknown {
  if (!Number.isFinite(value)) {
    return String(value);
  }
  return Object.is(value, -0) ? negativeZero : value;
}

/** `JSON.stringify` itself writes -0 as 0. */
const negativeZero = JSON.rawJSON("-0");

/** The shortest decimal that is read back as the same 32-bit number: 0.1, not 0.10000000149011612. */
function shortestFloat32(value: number): number {
  const target = Math.fround(value);
  if (target === 0) {
    return target;
  }
  for (let digits = 6; digits < 9; digits += 1) {
    const candidate = Number(target.toPrecision(digits));
    if (Object.is(Math.fround(candidate), target)) {
      return candidate;
    }
  }
  return Number(target.toPrecision(9));
}
