import { type DescMessage, fromJson, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import type { ViolationCollector } from "../field-violations.ts";
import { InvalidValue, notAList, notAnObject } from "../field-violations.ts";
import type { JsonStyle } from "./json-style.ts";
import type { ReadJson } from "./scalar-reader.ts";
import { type ReadValue, scalarReader } from "./scalar-reader.ts";
import { isMembers } from "./value-type.ts";

/** Compiles the reader of `Struct`, `Value` or `ListValue`; `undefined` for other types. */
export function structReader(desc: DescMessage, style: JsonStyle): ReadJson | undefined {
  const check = plainJsonCheck(style);
  switch (desc.typeName) {
    case "google.protobuf.Struct": {
      const read = plainObjectReader(style);
      return (json, violations) => {
        const object = read(json, violations);
        return object === undefined ? undefined : fromJson(desc, object);
      };
    }
    case "google.protobuf.Value":
      return (json, violations) => (check(json, violations) ? fromJson(desc, json) : undefined);
    case "google.protobuf.ListValue":
      return (json, violations) => {
        if (!Array.isArray(json)) {
          violations.add(notAList.message);
          return undefined;
        }
        return check(json, violations) ? fromJson(desc, json) : undefined;
      };
    default:
      return undefined;
  }
}

/** Compiles the reader of a `Struct` that messages hold as plain JSON. */
export function plainObjectReader(
  style: JsonStyle,
): (json: unknown, violations: ViolationCollector) => JsonObject | undefined {
  const check = plainJsonCheck(style);
  return (json, violations) => {
    if (!isMembers(json)) {
      violations.add(notAnObject.message);
      return undefined;
    }
    return check(json, violations) && isJsonObject(json) ? json : undefined;
  };
}

/** Reports the strings and numbers inside plain JSON that protobuf cannot hold. */
function plainJsonCheck(style: JsonStyle): (json: unknown, violations: ViolationCollector) => json is JsonValue {
  const readString = scalarReader(ScalarType.STRING, false, style);
  const readNumber = scalarReader(ScalarType.DOUBLE, false, style);
  return (json, violations): json is JsonValue => checkPlainJson(json, readString, readNumber, violations);
}

function checkPlainJson(
  json: unknown,
  readString: ReadValue,
  readNumber: ReadValue,
  violations: ViolationCollector,
): boolean {
  let isFine = true;
  if (typeof json === "string" || typeof json === "number") {
    const value = typeof json === "string" ? readString(json) : readNumber(json);
    if (value instanceof InvalidValue) {
      violations.add(value.message);
      isFine = false;
    }
  } else if (typeof json === "object" && json !== null) {
    const isList = Array.isArray(json);
    for (const [key, value] of Object.entries(json)) {
      violations.enter(isList ? Number(key) : key);
      const name = readString(key);
      if (name instanceof InvalidValue) {
        violations.add(`has a key that ${name.message}`);
        isFine = false;
      }
      isFine = checkPlainJson(value, readString, readNumber, violations) && isFine;
      violations.leave();
    }
  }
  return isFine;
}

function isJsonObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
