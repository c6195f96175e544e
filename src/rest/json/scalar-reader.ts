import { type DescEnum, type Message, ScalarType } from "@bufbuild/protobuf";
import type { ViolationCollector } from "../field-violations.ts";
import {
  containsNul,
  InvalidValue,
  notABoolean,
  notANumber,
  notAnInteger,
  notAString,
  notBase64,
  notUnicode,
} from "../field-violations.ts";
import { type JsonStyle, jsonEnumName, jsonEnumNames } from "./json-style.ts";
import type { ValueRange } from "./value-type.ts";

/** Reads the JSON of a value. Reports violations, and returns `undefined` if it has no valid value. */
export type ReadJson = (json: unknown, violations: ViolationCollector) => unknown;

/** Reads the JSON of a message. Returns `undefined` if it is not the kind of JSON (mostly an object) of the type. */
export type ReadMessage = (json: unknown, violations: ViolationCollector) => Message | undefined;

/** Reads one JSON value. Returns the value as it is in messages, or an {@link InvalidValue}. */
export type ReadValue = (json: unknown) => unknown;

/**
 * Compiles the reader of a scalar's JSON. `longAsString` is the field option `jstype = JS_STRING`. For a number out of the type's range
 * the message names `range`, which the field's rules allow, since clients do not know the type.
 */
export function scalarReader(
  scalar: ScalarType,
  longAsString: boolean,
  style: JsonStyle,
  range?: ValueRange,
): ReadValue {
  switch (scalar) {
    case ScalarType.STRING:
      return style.acceptsNul ? readWellFormed : readString;
    case ScalarType.BOOL:
      return (json) => (typeof json === "boolean" ? json : notABoolean);
    case ScalarType.BYTES:
      return readBytes;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return int32Reader(-2147483648, 2147483647, style, range);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return int32Reader(0, 4294967295, style, range);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64Reader(-9223372036854775808n, 9223372036854775807n, longAsString, range);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return int64Reader(0n, 18446744073709551615n, longAsString, range);
    case ScalarType.FLOAT:
      return floatReader(3.4028234663852886e38, Math.fround, style, range);
    case ScalarType.DOUBLE:
      return floatReader(Number.MAX_VALUE, (value) => value, style, range);
  }
}

/** Compiles the reader of an enum's JSON. */
export function enumReader(enumType: DescEnum, style: JsonStyle): ReadValue {
  if (enumType.typeName === "google.protobuf.NullValue") {
    const refusal = new InvalidValue("must be null");
    return (json) => (json === null || json === "NULL_VALUE" ? 0 : refusal);
  }
  const allowed = jsonEnumNames(enumType, style);
  // ProtoJSON accepts `…_UNSPECIFIED` too, but the message need not suggest it.
  const isGiven = (name: string) => name !== enumType.values[0]?.name || !name.endsWith("_UNSPECIFIED");
  const refusal = new InvalidValue(`must be one of: ${allowed.filter(isGiven).join(", ")}`);
  const numbers = new Map<unknown, number>();
  for (const value of enumType.values) {
    const name = jsonEnumName(value, style);
    if (allowed.includes(name)) {
      numbers.set(name, value.number);
    }
    if (style.lenientNumbers) {
      numbers.set(value.number, value.number);
    }
  }
  const readNumber = style.lenientNumbers && enumType.open ? int32Reader(-2147483648, 2147483647, style) : undefined;
  return (json) => {
    const number = numbers.get(json);
    if (number !== undefined) {
      return number;
    }
    const read = readNumber !== undefined && typeof json === "number" ? readNumber(json) : refusal;
    return read instanceof InvalidValue ? refusal : read;
  };
}

function readWellFormed(json: unknown): unknown {
  if (typeof json !== "string") {
    return notAString;
  }
  return json.isWellFormed() ? json : notUnicode;
}

export function readString(json: unknown): unknown {
  if (typeof json !== "string") {
    return notAString;
  }
  if (json.includes("\0")) {
    return containsNul;
  }
  return json.isWellFormed() ? json : notUnicode;
}

/** Standard and URL-safe alphabet, with padding or without. */
function readBytes(json: unknown): unknown {
  if (typeof json !== "string") {
    return notAString;
  }
  const unpadded = json.endsWith("==") ? json.length - 2 : json.endsWith("=") ? json.length - 1 : json.length;
  const isWhole = unpadded === json.length ? unpadded % 4 !== 1 : json.length % 4 === 0;
  if (!isWhole || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(json)) {
    return notBase64;
  }
  return new Uint8Array(Buffer.from(json, "base64"));
}

/** A JSON number in quotes, which ProtoJSON allows. */
const quotedNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function unquote(json: unknown, style: JsonStyle): unknown {
  return style.lenientNumbers && typeof json === "string" && quotedNumber.test(json) ? Number(json) : json;
}

function notWithin({ min, max }: ValueRange): InvalidValue {
  return new InvalidValue(`must be between ${min} and ${max}`);
}

function int32Reader(min: number, max: number, style: JsonStyle, range: ValueRange = { min, max }): ReadValue {
  const outOfRange = notWithin(range);
  return (json) => {
    const value = typeof json === "number" ? json : unquote(json, style);
    if (typeof value !== "number" || (!Number.isInteger(value) && Number.isFinite(value))) {
      return notAnInteger;
    }
    // Adding 0 turns -0 into 0: integers have no -0.
    return value >= min && value <= max ? value + 0 : outOfRange;
  };
}

const unsafeInteger = new InvalidValue(
  "must be a string of digits beyond 9007199254740991, where numbers lose precision",
);

/** Accepts a string of digits, which is how 64-bit integers are written, and numbers up to 2^53 - 1. */
function int64Reader(min: bigint, max: bigint, longAsString: boolean, range: ValueRange = { min, max }): ReadValue {
  const outOfRange = notWithin(range);
  return (json) => {
    let value: bigint;
    if (typeof json === "number") {
      if (!Number.isInteger(json)) {
        return Number.isFinite(json) ? notAnInteger : outOfRange;
      }
      if (!Number.isSafeInteger(json)) {
        return unsafeInteger;
      }
      value = BigInt(json);
    } else if (typeof json === "string" && /^-?[0-9]+$/.test(json)) {
      // 20 digits are enough for every value. The conversion of long strings takes more than linear time.
      if (json.length > 21) {
        return outOfRange;
      }
      value = BigInt(json);
    } else {
      return notAnInteger;
    }
    if (value < min || value > max) {
      return outOfRange;
    }
    return longAsString ? value.toString() : value;
  };
}

function floatReader(
  max: number,
  round: (value: number) => number,
  style: JsonStyle,
  range: ValueRange = { min: -max, max },
): ReadValue {
  const outOfRange = notWithin(range);
  return (json) => {
    const value = typeof json === "number" ? json : unquote(json, style);
    if (typeof value === "number") {
      const rounded = round(value);
      return Number.isFinite(rounded) ? rounded : outOfRange;
    }
    switch (value) {
      case "NaN":
        return Number.NaN;
      case "Infinity":
        return Number.POSITIVE_INFINITY;
      case "-Infinity":
        return Number.NEGATIVE_INFINITY;
      default:
        return notANumber;
    }
  };
}
