/** The types of the Go SDK: enums, messages and parameters. */
import { goComment, goNames, nameMember } from "./go-text.ts";
import { head, importsOf, type Writer } from "./go-writer.ts";
import type { Choice, Enum, Field, FieldType, Message, Model, Operation } from "./model.ts";

export function emitMessages({ enums, messages, services }: Model, write: Writer): string {
  const paged = new Set(
    services.flatMap(({ operations }) => operations.flatMap(({ pages, result }) => (pages ? [result.type] : []))),
  );
  const code = [
    ...enums.map((type) => enumType(type, write)),
    // What a list answers is a Page.
    ...messages.filter(({ name }) => !paged.has(name)).map((message) => messageType(message, write)),
  ].join("\n");
  const imports = ["encoding/json", "time"].filter((path) => code.includes(`${path.replace(/^.*\//, "")}.`));
  return `${head}package byond\n\n${importsOf(imports)}${code}`;
}

function enumType({ name: modelName, doc, values }: Enum, { names, describe }: Writer): string {
  const name = names.get(modelName) ?? "";
  const constants = values.map((value) => {
    const constant = name + goNames.type(value.constant.toLowerCase());
    const text = value.doc === "" ? `${constant} is the word ${value.word}.` : `${constant}: ${describe(value.doc)}`;
    return `${goComment(text, "\t")}\t${constant} ${name} = ${JSON.stringify(value.word)}\n`;
  });
  const text = `${nameMember(name, describe(doc) || "The possible values.")}\n\nNewer servers may have words that this version does not know.`;
  return `${goComment(text)}type ${name} string

// The words of [${name}].
const (
${constants.join("\n")})
`;
}

function messageType(message: Message, write: Writer): string {
  const name = write.names.get(message.name) ?? "";
  const choices = message.fields.flatMap((field) =>
    field.type.kind === "choice" ? [{ field, choice: field.type }] : [],
  );
  const fields = message.fields.map((field) => {
    const type = field.type.kind === "choice" ? name + goNames.field(field.name) : resultType(field, write);
    return member(field, type, jsonTag(field, false), write);
  });
  const code = `${goComment(nameMember(name, write.describe(message.doc)))}type ${name} struct {\n${fields.join("\n")}}\n`;
  const [first, ...others] = choices;
  if (others.length > 0) {
    throw new Error(`${name} has two choices`);
  }
  return first === undefined ? code : `${code}\n${choiceType(name, first.field, first.choice, write)}`;
}

/** An interface that the messages of a choice have, and the code that reads the one that the field beside it names. */
function choiceType(
  name: string,
  { name: fieldName }: Field,
  { discriminator, cases }: Choice,
  { names }: Writer,
): string {
  const field = goNames.field(fieldName);
  const type = `${name}${field}`;
  const caseNames = cases.map(({ message }) => names.get(message) ?? "");
  const list = [...caseNames.map((one) => `*[${one}]`), `[Unknown${type}]`];
  const beside = `[${name}].${goNames.field(discriminator)}`;
  const doc = `${type} is one of several types. ${beside} tells which, up to its first dot: ${list.slice(0, -1).join(", ")}, or ${list.at(-1)} of a newer server. It is nil if the JSON is null.`;
  const switchCases = cases.map(
    ({ word, message }) => `\tcase ${JSON.stringify(word)}:\n\t\tvalue.${field} = new(${names.get(message)})\n`,
  );
  return `${goComment(doc)}type ${type} interface {
\tis${type}()
}

${caseNames.map((one) => `func (*${one}) is${type}() {}\n\n`).join("")}func (Unknown${type}) is${type}() {}

${goComment(`Unknown${type} is the JSON of [${type}] that this version does not know.`)}type Unknown${type} struct {
\tjson.RawMessage
}

// UnmarshalJSON reads the JSON of the API.
func (value *${name}) UnmarshalJSON(data []byte) error {
\ttype plain ${name}
\tmembers := struct {
\t\t*plain
\t\t${field} json.RawMessage \`json:"${fieldName}"\`
\t}{plain: (*plain)(value)}
\tif err := json.Unmarshal(data, &members); err != nil {
\t\treturn err
\t}
\tvalue.${field} = nil
\tif isNull(members.${field}) {
\t\treturn nil
\t}
\tswitch beforeDot(string(value.${goNames.field(discriminator)})) {
${switchCases.join("")}\tdefault:
\t\tvalue.${field} = Unknown${type}{members.${field}}
\t\treturn nil
\t}
\treturn json.Unmarshal(members.${field}, value.${field})
}
`;
}

function resultType({ type, isNullable }: Field, write: Writer): string {
  // Nil says null of a slice or map, too.
  const hasNil = type.kind === "list" || type.kind === "map" || type.kind === "bytes" || type.kind === "json";
  return `${isNullable && !hasNil ? "*" : ""}${goType(type, write)}`;
}

function goType(type: FieldType, write: Writer): string {
  switch (type.kind) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "integer":
      return "int";
    case "number":
      return "float64";
    case "int64":
      return "int64";
    case "bytes":
      return "[]byte";
    case "timestamp":
      return "time.Time";
    case "json":
      return "any";
    case "enum":
    case "message":
      return write.names.get(type.name) ?? type.name;
    case "list":
      return `[]${elementType(type.of, write)}`;
    case "map":
      return `map[string]${elementType(type.of, write)}`;
    case "choice":
      throw new Error("a choice must be a field of a result");
  }
}

function elementType(type: FieldType, write: Writer): string {
  if (type.kind === "int64") {
    throw new Error("encoding/json cannot read lists of integers in quotes");
  }
  return goType(type, write);
}

function jsonTag({ name, type }: Field, isOptional: boolean): string {
  return `\`json:"${name}${isOptional ? ",omitzero" : ""}${type.kind === "int64" ? ",string" : ""}"\``;
}

function member(field: Field, type: string, tag: string, { describe }: Writer): string {
  const name = goNames.field(field.name);
  return `${goComment(nameMember(name, describe(field.doc)), "\t")}\t${name} ${type} ${tag}\n`;
}

// Parameters

export function emitParams({ services }: Model, write: Writer): string {
  const code = services
    .flatMap(({ name, operations }) =>
      operations.flatMap((operation) =>
        operation.parametersType === undefined ? [] : [paramsType(name, operation, write)],
      ),
    )
    .join("\n");
  return `${head}package byond\n\n${importsOf(code.includes("time.") ? ["time"] : [])}${code}`;
}

function paramsType(service: string, operation: Operation, write: Writer): string {
  const name = `${goNames.method(service, operation)}Params`;
  const fields = operation.parameters.map((field) => {
    return member(
      field,
      `${isPointerParameter(field) ? "*" : ""}${goType(field.type, write)}`,
      jsonTag(field, !field.isRequired),
      write,
    );
  });
  const service_ = goNames.type(service);
  return `${goComment(`${name} are the parameters of [${service_}Service.${goNames.type(operation.name)}].`)}type ${name} struct {\n${fields.join("\n")}}\n`;
}

/** Only where the empty value says something else than none at all. */
export function isPointerParameter({ type, isNullable, isRequired }: Field): boolean {
  return isNullable && !isRequired && isScalar(type);
}

function isScalar({ kind }: FieldType): boolean {
  return !["list", "map", "bytes", "json", "timestamp"].includes(kind);
}
