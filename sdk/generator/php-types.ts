/** How the types of the model are written, read and sent in PHP. */
import type { Field, FieldType } from "./model.ts";
import { camelCase } from "./names.ts";

/** The type of a field of a result. */
export function resultType({ type, isNullable }: Field): string {
  const name = nativeType(type);
  if (type.kind === "choice") {
    return `${name}|\\stdClass|null`;
  }
  return isNullable && name !== "mixed" ? `?${name}` : name;
}

/** The type of a field of a result for PHPDoc, if it says more than that of PHP. */
export function resultDocType({ type, isNullable }: Field): string | undefined {
  const name = docType(type);
  const or = isNullable ? "|null" : "";
  return name === nativeType(type) || type.kind === "choice" ? undefined : `${name}${or}`;
}

/** The type of a parameter. Null is absent. */
export function parameterType({ type, isRequired }: Field): string {
  if (type.kind === "timestamp") {
    return `\\DateTimeInterface|string${isRequired ? "" : "|null"}`;
  }
  const name = type.kind === "message" ? "array" : nativeType(type);
  return isRequired || name === "mixed" ? name : `?${name}`;
}

export function parameterDocType({ type, isRequired }: Field): string {
  return `${docType(type, true)}${isRequired ? "" : "|null"}`;
}

function nativeType(type: FieldType): string {
  switch (type.kind) {
    case "string":
    case "bytes":
    case "enum":
      return "string";
    case "boolean":
      return "bool";
    case "integer":
    case "int64":
      return "int";
    case "number":
      return "float";
    case "timestamp":
      return "\\DateTimeImmutable";
    case "json":
      return "mixed";
    case "message":
      return type.name;
    case "list":
    case "map":
      return "array";
    case "choice":
      return type.cases.map(({ message }) => message).join("|");
  }
}

function docType(type: FieldType, isParameter = false): string {
  switch (type.kind) {
    case "enum":
      return `${type.name}::*|string`;
    case "timestamp":
      return isParameter ? "\\DateTimeInterface|string" : nativeType(type);
    case "message":
      // In the names of the API: PHP has no literal for an object with named members.
      return isParameter ? "array<string, mixed>" : type.name;
    case "list":
      return `list<${docType(type.of, isParameter)}>`;
    case "map":
      return `array<string, ${docType(type.of, isParameter)}>`;
    default:
      return nativeType(type);
  }
}

/** The expression that reads a field out of `$json`. */
export function readingCode({ name, type, isNullable }: Field): string {
  const value = `$json->${name} ?? null`;
  if (type.kind !== "choice") {
    return read(type, value, isNullable);
  }
  const cases = type.cases.map(({ word, message }) => `            '${word}' => ${message}::class,\n`);
  return `JsonReader::choice(${value}, $json->${type.discriminator} ?? null, [\n${cases.join("")}        ])`;
}

function read(type: FieldType, value: string, isNullable: boolean): string {
  const orNull = isNullable ? "OrNull" : "";
  switch (type.kind) {
    case "json":
      return value;
    case "message":
      return isNullable
        ? `JsonReader::objectOrNull(${value}, ${type.name}::class)`
        : `new ${type.name}(JsonReader::object(${value}))`;
    case "list":
    case "map":
      return `JsonReader::${type.kind}${orNull}(${value}, ${elementReader(type.of)})`;
    case "choice":
      throw new Error("a choice within a list or map is not known to PHP's emitter");
    default:
      return `JsonReader::${readerOf(type.kind)}${orNull}(${value})`;
  }
}

/** The function that reads an element of a list or map. */
function elementReader(type: FieldType): string {
  const code = read(type, "$value", false);
  const [, method] = /^JsonReader::(\w+)\(\$value\)$/.exec(code) ?? [];
  return method === undefined
    ? `static fn (mixed $value): ${nativeType(type)} => ${code}`
    : `JsonReader::${method}(...)`;
}

function readerOf(kind: Exclude<FieldType["kind"], "json" | "message" | "list" | "map" | "choice">): string {
  switch (kind) {
    case "enum":
    case "string":
      return "string";
    case "int64":
    case "integer":
      return "integer";
    case "timestamp":
      return "time";
    default:
      return kind;
  }
}

/** The expression that makes JSON of a parameter. */
export function writingCode({ name, type }: Field): string {
  return write(type, `$${camelCase(name)}`);
}

function write(type: FieldType, value: string): string {
  switch (type.kind) {
    case "timestamp":
      return `JsonWriter::time(${value})`;
    case "bytes":
      return `JsonWriter::bytes(${value})`;
    case "int64":
      return `JsonWriter::int64(${value})`;
    case "message":
      return `JsonWriter::object(${value})`;
    case "list":
    case "map": {
      const element = write(type.of, "$value");
      const [, method] = /^([\w:]+)\(\$value\)$/.exec(element) ?? [];
      const closure = method === undefined ? `static fn (mixed $value): mixed => ${element}` : `${method}(...)`;
      const convert = element === "$value" ? "" : `, ${closure}`;
      return `JsonWriter::${type.kind}(${value}${convert})`;
    }
    case "choice":
      throw new Error("a choice as a parameter is not known to PHP's emitter");
    default:
      return value;
  }
}
