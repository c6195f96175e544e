import type { JsonValue } from "@bufbuild/protobuf";

/** Characters that terminals and editors act on, or that nobody sees: they are written as escapes. */
const unseen = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A string as JSON, and as JavaScript. */
export function stringText(text: string): string {
  return JSON.stringify(text).replace(
    unseen,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A value as JSON over several lines; lists are on one. `indent` is that of its first line. */
export function jsonText(value: JsonValue, indent = ""): string {
  return valueText(value, indent, stringText);
}

/** A value as a JavaScript expression. */
export function scriptText(value: JsonValue, indent = ""): string {
  return valueText(value, indent, scriptName);
}

function scriptName(name: string): string {
  // `{ "__proto__": … }` would set the prototype.
  if (name === "__proto__") {
    return '["__proto__"]';
  }
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : stringText(name);
}

function valueText(value: JsonValue, indent: string, nameText: (name: string) => string): string {
  if (typeof value === "string") {
    return stringText(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item) => valueText(item, indent, nameText)).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value);
  }
  const inner = `${indent}  `;
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${nameText(name)}: ${valueText(member, inner, nameText)}`,
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}
