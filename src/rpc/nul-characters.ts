import type { DescMessage, Message } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { isListWrapper } from "../rest/json/style.ts";
import { type FieldViolation, formatFieldPath } from "../rest/violations.ts";

/** The strings of a message that hold U+0000, which PostgreSQL cannot keep. */
export function findNulCharacters(desc: DescMessage, message: Message): FieldViolation[] {
  const found: FieldViolation[] = [];
  visitMessage(reflect(desc, message), []);
  return found;

  function visitMessage(target: ReflectMessage, above: readonly (string | number)[]): void {
    for (const field of target.fields.filter((candidate) => target.isSet(candidate))) {
      const path = above.length > 0 && isListWrapper(field.parent) ? above : [...above, field.name];
      switch (field.fieldKind) {
        case "list":
          for (const [index, value] of Array.from(target.get(field)).entries()) {
            visitValue(value, [...path, index]);
          }
          break;
        case "map":
          for (const [key, value] of target.get(field)) {
            visitValue(key, [...path, String(key)]);
            visitValue(value, [...path, String(key)]);
          }
          break;
        default:
          visitValue(target.get(field), path);
      }
    }
  }

  function visitValue(value: unknown, path: readonly (string | number)[]): void {
    if (typeof value === "string" && value.includes("\0")) {
      found.push({ path: formatFieldPath(path), message: "must not contain the character U+0000" });
    } else if (isReflectMessage(value)) {
      visitMessage(value, path);
    }
  }
}
