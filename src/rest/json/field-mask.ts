import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema } from "@bufbuild/protobuf/wkt";
import { InvalidValue, notAString } from "../field-violations.ts";
import type { JsonStyle } from "./json-style.ts";
import type { ReadValue } from "./scalar-reader.ts";

const notAMask = new InvalidValue("must be a comma-separated list of field paths");

const pathPattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** Compiles the reader of a field mask: paths joined by commas, with field names in the style. */
export function fieldMaskReader(style: JsonStyle): ReadValue {
  return (json) => {
    if (typeof json !== "string") {
      return notAString;
    }
    const paths: string[] = [];
    for (const path of json === "" ? [] : json.split(",")) {
      if (!pathPattern.test(path) || (style.fieldNames === "json" && path.includes("_"))) {
        return notAMask;
      }
      paths.push(style.fieldNames === "json" ? snakeCase(path) : path);
    }
    return create(FieldMaskSchema, { paths });
  };
}

/** Writes a field mask. Throws if a path would not be read back as it is. */
export function formatFieldMask(paths: readonly string[], style: JsonStyle): string {
  return paths
    .map((path) => {
      const written = style.fieldNames === "json" ? camelCase(path) : path;
      const isLossy = style.fieldNames === "json" && (snakeCase(written) !== path || written.includes("_"));
      if (isLossy || !pathPattern.test(path)) {
        throw new RangeError(`the field mask path "${path}" cannot be written`);
      }
      return written;
    })
    .join(",");
}

function camelCase(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
