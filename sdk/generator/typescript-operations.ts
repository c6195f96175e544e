import type { Field, FieldType, Model, Operation } from "./model.ts";
import { camelCase } from "./names.ts";
import { head } from "./ts-doc.ts";

/** The table of operations, and how the JSON of their parameters and results is converted. */
export function emitOperations(model: Model): string {
  const shapes = model.messages.map(
    ({ name, fields }) => `const ${shapeName(name)}: convert.Converter = convert.message({${shape(fields)}});\n`,
  );
  const services = model.services.map(({ name, operations, rpcService }) => {
    const entries = operations.map(
      (operation) => `    ${camelCase(operation.name)}: ${operationEntry(rpcService, operation)},\n`,
    );
    return `  ${camelCase(name)}: {\n${entries.join("")}  },\n`;
  });
  return `${head}
import * as convert from "../converters.ts";
import type { Operation } from "../operation.ts";

${shapes.join("")}
/** How each method of the services calls the API. */
export const operations = {
${services.join("")}} satisfies Record<string, Record<string, Operation>>;

/** Reads a message of the given name out of the JSON of the API. */
export const messages = { ${model.messages.map(({ name }) => `${name}: ${shapeName(name)}`).join(", ")} };
`;
}

function shapeName(message: string): string {
  return `${camelCase(message.charAt(0).toLowerCase() + message.slice(1))}Message`;
}

function operationEntry(rpcService: string, operation: Operation): string {
  const { http, pathParameters, parameters, parametersIn, parametersField, result, pages, stream } = operation;
  for (const { name } of parameters) {
    if (camelCase(name).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) !== name) {
      throw new Error(`${operation.id}: ${name} cannot be told from its name in camelCase`);
    }
  }
  const facts: Record<string, string> = {
    id: JSON.stringify(operation.id),
    rpc: JSON.stringify(`${rpcService}/${operation.rpcName}`),
    method: JSON.stringify(http.method),
    path: JSON.stringify(http.path),
    pathParameters: JSON.stringify(pathParameters.map(({ name }) => name)),
    parametersIn: JSON.stringify(parametersIn),
    ...(parametersField === undefined ? {} : { parametersField: JSON.stringify(parametersField) }),
    parameters: parameters.length === 0 ? "convert.message({})" : `convert.message({${shape(parameters)}})`,
    result: shapeName(result.type),
    ...(result.field === undefined ? {} : { resultField: JSON.stringify(result.field) }),
    ...(pages === undefined ? {} : { itemsField: JSON.stringify(camelCase(pages.itemsField)) }),
    ...(stream === undefined
      ? {}
      : { resumeField: JSON.stringify(stream.resumeField), resumeParameter: JSON.stringify(stream.resumeParameter) }),
    takesCredential: String(operation.credential !== "none"),
    hasSideEffects: String(operation.hasSideEffects),
    isRepeatable: String(operation.isRepeatable),
  };
  const lines = Object.entries(facts).map(([name, value]) => `      ${name}: ${value},\n`);
  return `{\n${lines.join("")}    }`;
}

/** The converters of the fields that need one. All others differ in their names only. */
function shape(fields: readonly Field[]): string {
  const entries = fields.flatMap(({ name, type }) => {
    const converter = converterOf(type);
    return converter === undefined ? [] : [`${name}: ${converter}`];
  });
  return entries.length === 0 ? "" : ` ${entries.join(", ")} `;
}

function converterOf(type: FieldType): string | undefined {
  switch (type.kind) {
    case "timestamp":
    case "bytes":
    case "int64":
      return `convert.${type.kind}`;
    case "message":
      return `() => ${shapeName(type.name)}`;
    case "list":
    case "map": {
      const element = converterOf(type.of);
      return element === undefined
        ? type.kind === "map"
          ? "convert.map()"
          : undefined
        : `convert.${type.kind}(${element})`;
    }
    case "choice":
      return `convert.choice(${JSON.stringify(type.discriminator)}, { ${type.cases.map(({ word, message }) => `${word}: () => ${shapeName(message)}`).join(", ")} })`;
    default:
      return undefined;
  }
}
