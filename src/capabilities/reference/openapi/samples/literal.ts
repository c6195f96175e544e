import type { JsonValue } from "@bufbuild/protobuf";

type Atom = string | number | boolean | null;

/** How a language writes values. */
export interface Dialect {
  /** The indent of one level. */
  readonly step: string;
  readonly atom: (value: Atom) => string;
  readonly list: (items: readonly string[], values: readonly JsonValue[]) => string;
  /** What is written before the value of a member: its name and what follows. */
  readonly name: (key: string) => string;
  readonly object: { readonly open: string; readonly close: string; readonly empty: string };
  /** Whether the last member is followed by a comma. */
  readonly trailingComma: boolean;
}

/** A value as a literal: a member a line, each list on one line. `indent` is the indent of its first line. */
export function literal(value: JsonValue, dialect: Dialect, indent = ""): string {
  if (Array.isArray(value)) {
    return dialect.list(
      value.map((item) => literal(item, dialect, indent)),
      value,
    );
  }
  if (typeof value !== "object" || value === null) {
    return dialect.atom(value);
  }
  const { step, object, trailingComma } = dialect;
  const members = Object.entries(value).map(
    ([key, member]) => `${indent}${step}${dialect.name(key)}${literal(member, dialect, indent + step)}`,
  );
  if (members.length === 0) {
    return object.empty;
  }
  return `${object.open}\n${members.join(",\n")}${trailingComma ? "," : ""}\n${indent}${object.close}`;
}

/** JSON, as it is pasted into shells and text blocks. */
export const json: Dialect = {
  step: "  ",
  atom: (value) => JSON.stringify(value),
  list: (items) => `[${items.join(", ")}]`,
  name: (key) => `${JSON.stringify(key)}: `,
  object: { open: "{", close: "}", empty: "{}" },
  trailingComma: false,
};
