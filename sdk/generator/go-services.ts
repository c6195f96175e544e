/** The services of the Go SDK, and the table of their operations. */
import { goComment, goNames, nameMethod } from "./go-text.ts";
import { head, type Writer } from "./go-writer.ts";
import type { Model, Operation, Service } from "./model.ts";

export function emitOperations({ services }: Model): string {
  const operations = services.flatMap(({ name, rpcService, operations }) =>
    operations.map((operation) => operationEntry(name, rpcService, operation)),
  );
  return `${head}package byond\n\n// How each method of the services calls the API.\n${operations.join("\n")}`;
}

function operationEntry(service: string, rpcService: string, operation: Operation): string {
  const { http, pathParameters, parametersIn, parametersField, result, pages, stream } = operation;
  const facts: Record<string, string | boolean | readonly string[] | undefined> = {
    ID: operation.id,
    RPC: `${rpcService}/${operation.rpcName}`,
    Method: http.method,
    Path: http.path,
    PathParameters: pathParameters.map(({ name }) => name),
    ParametersIn: parametersIn,
    ParametersField: parametersField,
    ResultField: result.field,
    ItemsField: pages?.itemsField,
    ResumeField: stream?.resumeField,
    ResumeParameter: stream?.resumeParameter,
    TakesCredential: operation.credential !== "none",
    HasSideEffects: operation.hasSideEffects,
    IsRepeatable: operation.isRepeatable,
  };
  const given = Object.entries(facts).filter(
    ([, value]) => value !== undefined && value !== false && value?.toString() !== "",
  );
  const width = Math.max(...given.map(([name]) => name.length)) + 1;
  const lines = given.map(([name, value]) => `\t${`${name}:`.padEnd(width)} ${goLiteral(value)},\n`);
  return `var ${operationName(service, operation)} = &Operation{\n${lines.join("")}}\n`;
}

function operationName(service: string, operation: Operation): string {
  return `operation${goNames.method(service, operation)}`;
}

function goLiteral(value: string | boolean | readonly string[] | undefined): string {
  return typeof value === "object"
    ? `[]string{${value.map((one) => JSON.stringify(one)).join(", ")}}`
    : JSON.stringify(value);
}

// Services

export function emitServices({ services }: Model, write: Writer): string {
  const code = services.map((service) => serviceType(service, write));
  const fields = services.map(({ name, typeName, doc }) => {
    const field = goNames.type(name);
    return `${goComment(nameMethod(field, write.describe(doc)), "\t")}\t${field} *${typeName}Service\n`;
  });
  const width = Math.max(...services.map(({ name }) => goNames.type(name).length)) + 1;
  const made = services.map(
    ({ name, typeName }) => `\t\t${`${goNames.type(name)}:`.padEnd(width)} &${typeName}Service{caller},\n`,
  );
  return `${head}package byond

import (
	"context"
${code.some((one) => one.includes("iter.")) ? '\t"iter"\n' : ""})

// Services are those of the API, as members of a [Client].
type Services struct {
${fields.join("\n")}}

func newServices(caller *caller) Services {
	return Services{
${made.join("")}	}
}

${code.join("\n")}`;
}

function serviceType(service: Service, write: Writer): string {
  const name = `${service.typeName}Service`;
  const methods = service.operations.map((operation) => method(service, operation, write));
  return `${goComment(nameMethod(name, write.describe(service.doc)))}type ${name} struct {
	caller *caller
}

${methods.join("\n")}`;
}

function method(service: Service, operation: Operation, write: Writer): string {
  const { pathParameters, parametersType, pages, stream, result } = operation;
  const name = goNames.type(operation.name);
  const resultName = write.names.get(pages?.itemType ?? result.type) ?? "";
  const path = pathParameters.map((field) => goNames.argument(field.name));
  const signature = [
    "ctx context.Context",
    ...(path.length === 0 ? [] : [`${path.join(", ")} string`]),
    ...(parametersType === undefined ? [] : [`params *${goNames.method(service.name, operation)}Params`]),
    "options ...CallOption",
  ].join(", ");
  const values = path.length === 0 ? "nil" : `[]string{${path.join(", ")}}`;
  const given = `ctx, s.caller, ${operationName(service.name, operation)}, ${values}, ${parametersType === undefined ? "nil" : "params"}, options`;
  const doc = [
    nameMethod(name, write.describe(operation.doc)),
    ...pathParameters.map((field) => `The argument ${goNames.argument(field.name)}: ${write.describe(field.doc)}`),
  ];
  const define = (methodName: string, lines: readonly string[], returns: string, call: string) =>
    `${goComment(lines.join("\n\n"))}func (s *${service.typeName}Service) ${methodName}(${signature}) ${returns} {\n\treturn ${call}[${resultName}](${given})\n}\n`;
  if (stream !== undefined) {
    return define(name, doc, `*Stream[${resultName}]`, "stream");
  }
  if (pages === undefined) {
    return define(name, doc, `(*${resultName}, error)`, "call");
  }
  const all = goNames.ofAllPages(name);
  const docOfAll = `${all} goes through all pages of [${service.typeName}Service.${name}], which are loaded as they are needed. The loop ends after an error.`;
  return [
    define(
      name,
      [...doc, `It returns one page. For all of them: [${service.typeName}Service.${all}].`],
      `(*Page[${resultName}], error)`,
      "list",
    ),
    define(all, [docOfAll], `iter.Seq2[*${resultName}, error]`, "listAll"),
  ].join("\n");
}
