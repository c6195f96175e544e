import { type DescField, type JsonValue, ScalarType } from "@bufbuild/protobuf";

/**
 * The default of an optional field, where its comment has a sentence that says so: "Default 300." or "Default `live`."
 * Protobuf and `buf.validate` have no other place for what a handler does with a field that is not given.
 */
export function defaultOf(field: DescField, comment: string): JsonValue | undefined {
  const [, code, bare] = /\bDefault (?:`([^`]+)`|(-?[0-9]+(?:\.[0-9]+)?|true|false))(?=[.,;:\s]|$)/.exec(comment) ?? [];
  const text = code ?? bare;
  if (text === undefined || field.fieldKind === "message" || field.fieldKind === "list" || field.fieldKind === "map") {
    return undefined;
  }
  if (field.fieldKind === "enum" || field.scalar === ScalarType.STRING) {
    return text;
  }
  if (field.scalar === ScalarType.BOOL) {
    return text === "true";
  }
  return Number.isFinite(Number(text)) ? Number(text) : undefined;
}
