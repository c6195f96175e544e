import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { type JsonStyle, jsonEnumName } from "./json-style.ts";

/** Writes a value, as messages hold it, as JSON text. Throws on a value that the type does not have. */
export type WriteValue = (value: unknown) => string;

/** Compiles the writer of a scalar. */
export function scalarWriter(scalar: ScalarType): WriteValue {
  switch (scalar) {
    case ScalarType.STRING:
      return writeString;
    case ScalarType.BOOL:
      return (value) => (value === true ? "true" : value === false ? "false" : mistyped(value, "a boolean"));
    case ScalarType.BYTES:
      return writeBytes;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return writeInt64;
    case ScalarType.FLOAT:
      return (value) => writeFloat(value, shortestFloat32);
    case ScalarType.DOUBLE:
      return (value) => writeFloat(value, String);
    default:
      return (value) => (Number.isInteger(value) ? String(value) : mistyped(value, "an integer"));
  }
}

/** Compiles the writer of an enum. A value without a name is written as its number. */
export function enumWriter(enumType: DescEnum, style: JsonStyle): WriteValue {
  if (enumType.typeName === "google.protobuf.NullValue") {
    return () => "null";
  }
  const texts = new Map<unknown, string>();
  for (const value of enumType.values) {
    if (!texts.has(value.number)) {
      texts.set(value.number, JSON.stringify(jsonEnumName(enumType, value.name, style)));
    }
  }
  return (value) => texts.get(value) ?? (Number.isInteger(value) ? String(value) : mistyped(value, "an enum's number"));
}

/** Throws the error of a handler that answered something else than its response type holds. */
export function mistyped(value: unknown, expected: string): never {
  throw new TypeError(`expected ${expected} to write as JSON, got ${typeof value}`);
}

/** Text without what JSON has to escape (RFC 8259 §7: controls, quote, backslash), and without surrogates. */
const plainText = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

export function writeString(value: unknown): string {
  if (typeof value !== "string") {
    return mistyped(value, "a string");
  }
  return plainText.test(value) ? `"${value}"` : JSON.stringify(value);
}

function writeBytes(value: unknown): string {
  if (!(value instanceof Uint8Array)) {
    return mistyped(value, "bytes");
  }
  return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}"`;
}

function writeInt64(value: unknown): string {
  // A string where the field has the option `jstype = JS_STRING`.
  return typeof value === "bigint" || typeof value === "string" ? `"${value}"` : mistyped(value, "a 64-bit integer");
}

function writeFloat(value: unknown, format: (finite: number) => string): string {
  if (typeof value !== "number") {
    return mistyped(value, "a number");
  }
  if (!Number.isFinite(value)) {
    return `"${value}"`;
  }
  return Object.is(value, -0) ? "-0" : format(value);
}

/** The shortest decimal that is read back as the same 32-bit number: `0.1`, not `0.10000000149011612`. */
function shortestFloat32(value: number): string {
  const target = Math.fround(value);
  for (let digits = 6; digits < 9; digits += 1) {
    const candidate = Number(target.toPrecision(digits));
    if (Math.fround(candidate) === target) {
      return String(candidate);
    }
  }
  return String(Number(target.toPrecision(9)));
}
