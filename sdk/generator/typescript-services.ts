import type { Model, Operation, Service } from "./model.ts";
import { camelCase } from "./names.ts";
import { type Describe, head, tsDoc } from "./ts-doc.ts";

/** A class for each service, with a method for each operation. */
export function emitServices(model: Model, describe: Describe): string {
  const classes = model.services.map((service) => serviceClass(service, describe));
  const members = model.services.map(
    ({ name, typeName, doc }) => `${tsDoc(describe(doc), "  ")}  readonly ${camelCase(name)}: ${typeName};\n`,
  );
  const created = model.services.map(
    ({ name, typeName }) => `    this.${camelCase(name)} = new ${typeName}(caller);\n`,
  );
  const used = [...new Set(classes.join("").match(/\b(?:types)\.\w+/g) ?? [])]
    .map((name) => name.slice("types.".length))
    .sort();
  return `${head}
import type { Caller, CallOptions } from "../caller.ts";
import type { EventStream } from "../event-stream.ts";
import type { PagePromise } from "../page.ts";
import { operations } from "./operations.ts";
import type {
${used.map((name) => `  ${name},\n`).join("")}} from "./types.ts";

${classes.join("\n").replaceAll("types.", "")}
/** The services of the API. */
export class Services {
${members.join("")}
  constructor(caller: Caller) {
${created.join("")}  }
}
`;
}

function serviceClass({ name, typeName, doc, operations }: Service, describe: Describe): string {
  const methods = operations.map((operation) => method(name, operation, describe));
  return `${tsDoc(describe(doc))}export class ${typeName} {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

${methods.join("\n")}}
`;
}

function method(service: string, operation: Operation, describe: Describe): string {
  const { pathParameters, parameters, parametersType: type, pages, stream, result } = operation;
  const isOptional = parameters.every(({ isRequired }) => !isRequired);
  const path = pathParameters.map(({ name }) => camelCase(name));
  const signature = [
    ...path.map((name) => `${name}: string`),
    ...(type === undefined ? [] : [`params: types.${type}${isOptional ? " = {}" : ""}`]),
    "options: CallOptions = {}",
  ].join(", ");
  const [returns, call] =
    stream !== undefined
      ? [`EventStream<types.${result.type}>`, "stream"]
      : pages !== undefined
        ? [`PagePromise<types.${pages.itemType}>`, "list"]
        : [`Promise<types.${result.type}>`, "call"];
  const given = `{ ${[...path, ...(type === undefined ? [] : ["...params"])].join(", ")} }`;
  const described = pathParameters.map((field) => `@param ${camelCase(field.name)} ${describe(field.doc)}`);
  const doc = [describe(operation.doc), described.join("\n")].filter((part) => part !== "").join("\n\n");
  return `${tsDoc(doc, "  ")}  ${camelCase(operation.name)}(${signature}): ${returns} {
    return this.#caller.${call}(operations.${camelCase(service)}.${camelCase(operation.name)}, ${given === "{  }" ? "{}" : given}, options);
  }
`;
}
