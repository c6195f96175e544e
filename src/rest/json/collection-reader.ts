import { ScalarType } from "@bufbuild/protobuf";
import type { ViolationCollector } from "../field-violations.ts";
import { InvalidValue, notABoolean, notAList, notAnInteger, notAnObject } from "../field-violations.ts";
import type { JsonStyle } from "./json-style.ts";
import type { ReadJson } from "./scalar-reader.ts";
import { type ReadValue, scalarReader } from "./scalar-reader.ts";
import { isMembers, type Members, setOwn } from "./value-type.ts";

/** Reads a JSON array. Rejected elements are left out. */
export function readItems(json: unknown, read: ReadJson, violations: ViolationCollector): unknown[] | undefined {
  if (!Array.isArray(json)) {
    violations.add(notAList.message);
    return undefined;
  }
  const items: unknown[] = [];
  for (const [index, item] of json.entries()) {
    violations.enter(index);
    const value = read(item, violations);
    violations.leave();
    if (value !== undefined) {
      items.push(value);
    }
  }
  return items;
}

/** Reads a JSON object as a map field. Rejected entries are left out. */
export function readEntries(
  json: unknown,
  readKey: ReadValue,
  read: ReadJson,
  violations: ViolationCollector,
): Members | undefined {
  if (!isMembers(json)) {
    violations.add(notAnObject.message);
    return undefined;
  }
  const entries: Members = {};
  for (const key of Object.keys(json)) {
    violations.enter(key);
    const mapKey = readKey(key);
    if (mapKey instanceof InvalidValue) {
      violations.add(`has a key that ${mapKey.message}`);
    } else {
      const value = read(json[key], violations);
      if (value !== undefined) {
        setOwn(entries, String(mapKey), value);
      }
    }
    violations.leave();
  }
  return entries;
}

/** Compiles the reader of map keys, which are strings in JSON. A number is accepted in its canonical form only. */
export function mapKeyReader(keyType: ScalarType, style: JsonStyle): ReadValue {
  const read = scalarReader(keyType, false, style);
  switch (keyType) {
    case ScalarType.STRING:
      return read;
    case ScalarType.BOOL:
      return (key) => (key === "true" || key === "false" ? key : notABoolean);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return (key) => (isCanonical(key) ? read(key) : notAnInteger);
    default:
      return (key) => (isCanonical(key) ? read(Number(key)) : notAnInteger);
  }
}

function isCanonical(key: unknown): boolean {
  return typeof key === "string" && /^(?:0|-?[1-9][0-9]*)$/.test(key);
}
