import type { JsonValue } from "@bufbuild/protobuf";

/** A value as JavaScript writes it, with names unquoted where they can be. `indent` is that of the line it begins on. */
export function scriptLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, {
    step: "  ",
    name: (key) => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)),
    atom: (atom) => JSON.stringify(atom),
  });
}

/** A value as JSON, with lists on one line. */
export function jsonLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, {
    step: "  ",
    name: (key) => JSON.stringify(key),
    atom: (atom) => JSON.stringify(atom),
  });
}

/** A value as Python writes it. */
export function pythonLiteral(value: JsonValue, indent: string): string {
  return literal(value, indent, { step: "    ", name: (key) => JSON.stringify(key), atom: pythonAtom });
}

interface Dialect {
  readonly step: string;
  readonly name: (key: string) => string;
  readonly atom: (value: string | number | boolean | null) => string;
}

function literal(value: JsonValue, indent: string, dialect: Dialect): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => literal(item, indent, dialect)).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) {
    return dialect.atom(value);
  }
  const inner = indent + dialect.step;
  const members = Object.entries(value).map(
    ([key, member]) => `${inner}${dialect.name(key)}: ${literal(member, inner, dialect)}`,
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

function pythonAtom(value: string | number | boolean | null): string {
  if (value === null) {
    return "None";
  }
  return typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
}
