import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { FieldPath } from "./field-path.ts";
import type { JsonReader } from "./json/json-reader.ts";
import { isListWrapper, jsonFieldName } from "./json/json-style.ts";
import type { ReadValue } from "./json/scalar-reader.ts";
import { valueTypeOf } from "./json/value-type.ts";
import { parameterReader } from "./parameter-reader.ts";
import type { Route } from "./route.ts";

/** A query parameter of a route. */
export interface QueryParameter {
  /** The documented name: field names in the JSON style, joined by dots. */
  readonly name: string;
  /** The fields that the name consists of, outermost first. */
  readonly fields: readonly DescField[];
  /** The path to the bound field: the last one, or the list in it if it is a list wrapper. */
  readonly path: FieldPath;
  readonly repeated: boolean;
  /** Whether one occurrence may hold several values, joined by commas: a word of an enum has none in it. */
  readonly commaSeparated: boolean;
  readonly read: ReadValue;
}

/** Longer names are unknown: a recursive message has paths of any length. */
const maxDepth = 16;

/** The query parameters of a route. */
export class QueryParameters {
  readonly #route: Route;
  readonly #reader: JsonReader;
  readonly #boundElsewhere: ReadonlyMap<string, string>;
  readonly #fieldsByName = new Map<DescMessage, Map<string, DescField>>();
  readonly #found = new Map<string, QueryParameter>();
  /** The names of the parameters that are fields of the request itself. */
  readonly known: readonly string[];

  constructor(route: Route, reader: JsonReader) {
    this.#route = route;
    this.#reader = reader;
    const bound = new Map(route.pathParameters.map(({ fieldPath }) => [fieldPath, "must be given in the path"]));
    if (route.body.kind === "field") {
      bound.set(route.body.field.name, "must be given in the body");
    }
    this.#boundElsewhere = bound;
    for (const field of route.body.kind === "message" ? [] : this.all(1)) {
      this.#found.set(field.name, field);
    }
    this.known = [...this.#found.keys()];
  }

  /**
   * Finds a parameter by field names (proto or JSON), joined by dots. Returns the message of a violation if the path or
   * the body binds the field, and `undefined` if there is no such parameter.
   */
  find(name: string): QueryParameter | string | undefined {
    const known = this.#found.get(name);
    if (known !== undefined) {
      return known;
    }
    const steps = name.split(".", maxDepth + 1);
    if (steps.length > maxDepth) {
      return undefined;
    }
    const fields: DescField[] = [];
    let message: DescMessage | undefined = this.#route.method.input;
    for (const step of steps) {
      const field: DescField | undefined = message === undefined ? undefined : this.#fields(message).get(step);
      if (field === undefined) {
        return undefined;
      }
      fields.push(field);
      message = this.#inner(field);
    }
    return this.#parameter(fields);
  }

  /** All parameters of the route in order of declaration, with names of up to `depth` steps. */
  all(depth: number): QueryParameter[] {
    return this.#below([], this.#route.method.input, depth);
  }

  #below(leading: readonly DescField[], message: DescMessage, depth: number): QueryParameter[] {
    return message.fields.flatMap((field) => {
      const fields = [...leading, field];
      const parameter = this.#parameter(fields);
      const inner = this.#inner(field);
      if (parameter === undefined && inner !== undefined && depth > 1) {
        return this.#below(fields, inner, depth - 1);
      }
      return typeof parameter === "object" ? [parameter] : [];
    });
  }

  #parameter(fields: readonly DescField[]): QueryParameter | string | undefined {
    if (this.#route.body.kind === "message") {
      return "must be given in the body";
    }
    const bound = this.#boundMessage(fields);
    if (bound !== undefined) {
      return bound;
    }
    const { style } = this.#reader.options;
    const last = fields.at(-1);
    if (last === undefined || last.fieldKind === "map") {
      return undefined;
    }
    const [wrapped] = last.fieldKind === "message" && this.#isList(last.message) ? last.message.fields : [];
    const path = wrapped ? new FieldPath(fields, wrapped) : new FieldPath(fields.slice(0, -1), last);
    const type = valueTypeOf(path.last);
    const read = parameterReader(type, this.#reader);
    const name = fields.map((field) => jsonFieldName(field, style)).join(".");
    const repeated = path.last.fieldKind === "list";
    return read && { name, fields, path, read, repeated, commaSeparated: repeated && type.kind === "enum" };
  }

  /** The message type of a field whose own fields are parameters. */
  #inner(field: DescField): DescMessage | undefined {
    return field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message) && !this.#isList(field.message)
      ? field.message
      : undefined;
  }

  #isList(message: DescMessage): boolean {
    return this.#reader.options.style.unwrapsLists && isListWrapper(message);
  }

  #boundMessage(fields: readonly DescField[]): string | undefined {
    let path = "";
    for (const field of fields) {
      path += path === "" ? field.name : `.${field.name}`;
      const message = this.#boundElsewhere.get(path);
      if (message !== undefined) {
        return message;
      }
    }
    return undefined;
  }

  #fields(message: DescMessage): Map<string, DescField> {
    let fields = this.#fieldsByName.get(message);
    if (fields === undefined) {
      fields = new Map();
      for (const field of message.fields) {
        fields.set(field.jsonName, field);
      }
      // A proto name takes precedence over the same JSON name of another field.
      for (const field of message.fields) {
        fields.set(field.name, field);
      }
      this.#fieldsByName.set(message, fields);
    }
    return fields;
  }
}
