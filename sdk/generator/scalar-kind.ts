import { ScalarType } from "@bufbuild/protobuf";

/** What a scalar is in the JSON of REST. */
export function scalarKind(scalar: ScalarType): "string" | "boolean" | "integer" | "number" | "int64" | "bytes" {
  switch (scalar) {
    case ScalarType.STRING:
      return "string";
    case ScalarType.BOOL:
      return "boolean";
    case ScalarType.BYTES:
      return "bytes";
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return "number";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return "int64";
    default:
      return "integer";
  }
}
