import { camelCaseNames } from "./doc-text.ts";
import type { Choice, Enum, Field, FieldType, Message, Model, Operation } from "./model.ts";
import { camelCase, pascalCase } from "./names.ts";
import { type Describe, head, tsDoc } from "./ts-doc.ts";

/** The types of messages, enums and parameters, and the codes of errors. */
export function emitTypes(model: Model, describe: Describe): string {
  const parameters = model.services
    .flatMap(({ operations }) => operations)
    .flatMap((operation) => (operation.parametersType === undefined ? [] : [parametersType(operation, describe)]));
  const pageTypes = new Set(pagedOperations(model).map(({ result }) => result.type));
  const parts = [
    head,
    `/** The version of this package. */\nexport const version = ${JSON.stringify(model.version)};\n`,
    `/** The version of the API that this SDK is written for. */\nexport const apiVersion = ${JSON.stringify(model.apiVersion)};\n`,
    errorCodes(model),
    ...model.enums.map((type) => enumType(type, describe)),
    // What a list answers is a `Page`.
    ...model.messages.filter(({ name }) => !pageTypes.has(name)).map((message) => messageType(message, describe)),
    ...parameters,
  ];
  return parts.join("\n");
}

function errorCodes({ errors }: Model): string {
  const rows = errors.map(({ code, status }) => `\`${code}\` (${status})`).join(", ");
  const names = errors.map(({ code }) => JSON.stringify(code)).join("\n  | ");
  return `${tsDoc(`A code of an error that the server answers, with its HTTP status: ${rows}.`)}export type ErrorCode =\n  | ${names};\n`;
}

function enumType({ name, doc, values }: Enum, describe: Describe): string {
  const words = values.map((value) => `- \`${value.word}\`: ${describe(value.doc)}`).join("\n");
  return `${tsDoc(`${describe(doc) || "The possible values."}\n\n${words}`)}export type ${name} = ${values.map(({ word }) => JSON.stringify(word)).join(" | ")};\n`;
}

function messageType(message: Message, describe: Describe): string {
  const choice = message.fields.find(({ type }) => type.kind === "choice");
  return choice?.type.kind === "choice"
    ? unionType(message, choice, choice.type, describe)
    : `${tsDoc(describe(message.doc))}export interface ${message.name} {\n${members(message.fields, describe, message.isInput)}}\n`;
}

/** A message of which one field is a choice: an interface for each case, told apart by the field beside it. */
function unionType(message: Message, choiceField: Field, choice: Choice, describe: Describe): string {
  const { name, fields } = message;
  const discriminator = fields.find((field) => field.name === choice.discriminator);
  const shared = fields.filter((field) => field !== choiceField && field !== discriminator);
  if (discriminator?.type.kind !== "enum") {
    throw new Error(`${name}: its choice has no field that tells which it is`);
  }
  const wordType = discriminator.type.name;
  const cases = choice.cases.map(({ word, message: inner }) => {
    const type = `${pascalCase(word)}${name}`;
    return {
      type,
      code: `${tsDoc(`${describe(message.doc).replace(/\.$/, "")}: with the types that begin with \`${word}\`.`)}export interface ${type} extends ${name}Base {
${tsDoc(describe(discriminator.doc), "  ")}  readonly ${camelCase(discriminator.name)}: Extract<${wordType}, \`${word}.\${string}\`>;
${tsDoc(describe(choiceField.doc), "  ")}  readonly ${camelCase(choiceField.name)}: ${inner};
}
`,
    };
  });
  return [
    `${tsDoc(`What every \`${name}\` has.`)}export interface ${name}Base {\n${members(shared, describe)}}\n`,
    ...cases.map(({ code }) => code),
    `${tsDoc(`${describe(message.doc)} Branch on \`${camelCase(discriminator.name)}\`: it tells the type of \`${camelCase(choiceField.name)}\`.`)}export type ${name} = ${cases.map(({ type }) => type).join(" | ")};\n`,
  ].join("\n");
}

function members(fields: readonly Field[], describe: Describe, isInput = false): string {
  return fields
    .map((field) => {
      const type = `${typeOf(field.type)}${field.isNullable ? " | null" : ""}`;
      const mayBeLeftOut = isInput && field.isNullable;
      const mark = field.isOmittable === true || mayBeLeftOut ? "?" : "";
      return `${tsDoc(describe(field.doc), "  ")}  readonly ${camelCase(field.name)}${mark}: ${type}${mayBeLeftOut ? " | undefined" : ""};\n`;
    })
    .join("");
}

function parametersType(operation: Operation, describe: Describe): string {
  const fields = operation.parameters.map((field) => {
    const mark = field.isRequired ? "" : "?";
    const orUndefined = field.isRequired ? "" : " | undefined";
    // `null` means absent where the server takes it: in whole messages, not in those that change something.
    const orNull =
      field.isNullable &&
      operation.parametersIn === "body" &&
      operation.parametersField === undefined &&
      !field.isRequired;
    const type = typeOf(field.type, true);
    return `${tsDoc(describe(field.doc), "  ")}  readonly ${camelCase(field.name)}${mark}: ${type}${orNull ? " | null" : ""}${orUndefined};\n`;
  });
  return `${tsDoc(`Parameters of \`${camelCaseNames.operation(operation.id)}\`.`)}export interface ${operation.parametersType} {\n${fields.join("")}}\n`;
}

function typeOf(type: FieldType, isParameter = false): string {
  switch (type.kind) {
    case "string":
    case "boolean":
      return type.kind;
    case "integer":
    case "number":
      return "number";
    case "int64":
      return "bigint";
    case "bytes":
      return "Uint8Array";
    case "timestamp":
      return isParameter ? "Date | string" : "Date";
    case "json":
      return "unknown";
    case "enum":
    case "message":
      return type.name;
    case "list":
      return isParameter && type.of.kind === "timestamp"
        ? "readonly (Date | string)[]"
        : `readonly ${typeOf(type.of, isParameter)}[]`;
    case "map":
      return `Readonly<Record<string, ${typeOf(type.of, isParameter)}>>`;
    case "choice":
      return type.cases.map(({ message }) => message).join(" | ");
  }
}

function pagedOperations({ services }: Model): Operation[] {
  return services.flatMap(({ operations }) => operations).filter(({ pages }) => pages !== undefined);
}
