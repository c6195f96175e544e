import { create, type DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { InvalidValue } from "../field-violations.ts";
import { readDuration } from "./duration.ts";
import { fieldMaskReader } from "./field-mask.ts";
import type { JsonStyle } from "./json-style.ts";
import { type ReadValue, scalarReader } from "./scalar-reader.ts";
import { readTimestamp } from "./timestamp.ts";

/**
 * Compiles the reader of a well-known type whose JSON is a scalar: `Timestamp`, `Duration`, `FieldMask` and the wrappers, which are
 * read as the bare value if `bare`. `undefined` for other types.
 */
export function wellKnownScalarReader(desc: DescMessage, bare: boolean, style: JsonStyle): ReadValue | undefined {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return readTimestamp;
    case "google.protobuf.Duration":
      return readDuration;
    case "google.protobuf.FieldMask":
      return fieldMaskReader(style);
    default:
      break;
  }
  if (!isWrapperDesc(desc)) {
    return undefined;
  }
  const [field] = desc.fields;
  const read = scalarReader(field.scalar, field.longAsString, style);
  if (bare) {
    return read;
  }
  return (json) => {
    const value = read(json);
    return value instanceof InvalidValue ? value : create(desc, { value });
  };
}
