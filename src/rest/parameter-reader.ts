import { ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { notABoolean, notANumber, notAnInteger } from "./field-violations.ts";
import type { JsonReader } from "./json/json-reader.ts";
import type { ReadValue } from "./json/scalar-reader.ts";
import type { ValueType } from "./json/value-type.ts";

/**
 * Compiles the reader of a path or query parameter. Its text is the JSON of the value, without quotes. `undefined` for types
 * whose JSON is an object or an array.
 */
export function parameterReader(type: ValueType, reader: JsonReader): ReadValue | undefined {
  const read = reader.leaf(type);
  if (read === undefined) {
    return undefined;
  }
  if (type.kind === "enum") {
    const takesNumbers = reader.options.style.lenientNumbers;
    return (text) => read(takesNumbers && isInteger(text) ? Number(text) : text);
  }
  switch (scalarOf(type)) {
    case ScalarType.BOOL:
      return (text) => (text === "true" || text === "false" ? read(text === "true") : notABoolean);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return (text) => (isInteger(text) ? read(Number(text)) : notAnInteger);
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return (text) => {
        if (isDecimal(text)) {
          return read(Number(text));
        }
        return text === "NaN" || text === "Infinity" || text === "-Infinity" ? read(text) : notANumber;
      };
    default:
      return read;
  }
}

function scalarOf(type: ValueType): ScalarType | undefined {
  if (type.kind === "scalar") {
    return type.scalar;
  }
  return type.kind === "message" && isWrapperDesc(type.message) ? type.message.fields[0].scalar : undefined;
}

function isInteger(text: unknown): boolean {
  return typeof text === "string" && /^-?[0-9]+$/.test(text);
}

function isDecimal(text: unknown): boolean {
  return typeof text === "string" && /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text);
}
