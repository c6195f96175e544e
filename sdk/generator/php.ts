/** Writes the PHP SDK: a class for each message, enum and service, the codes of errors, and the versions. */
import { camelCaseNames, docWriter } from "./doc-text.ts";
import type { Enum, Field, FieldType, Message, Model, Operation, Service } from "./model.ts";
import { camelCase } from "./names.ts";
import { phpDoc, phpFile, quoted } from "./php-file.ts";
import { checkNames } from "./php-names.ts";
import { parameterDocType, parameterType, readingCode, resultDocType, resultType, writingCode } from "./php-types.ts";

type Describe = (comment: string) => string;

export function emitPhp(model: Model): Record<string, string> {
  checkNames(model);
  const describe = docWriter(model, camelCaseNames);
  const pages = new Set(
    model.services
      .flatMap(({ operations }) => operations)
      .filter((operation) => operation.pages !== undefined)
      .map(({ result }) => result.type),
  );
  // What a list answers is a `Page`.
  const messages = model.messages.filter(({ name }) => !pages.has(name));
  return {
    ...filesOf(
      "Model",
      messages,
      ({ name }) => name,
      (message) => messageClass(message, describe),
    ),
    ...filesOf(
      "Model",
      model.enums,
      ({ name }) => name,
      (type) => enumClass(type, describe),
    ),
    ...filesOf(
      "Service",
      model.services,
      ({ typeName }) => typeName,
      (service) => serviceClass(service, describe),
    ),
    "Services.php": servicesClass(model, describe),
    "ErrorCode.php": errorCodeClass(model, describe),
    "Version.php": versionClass(model),
  };
}

function filesOf<T>(
  folder: string,
  all: readonly T[],
  nameOf: (one: T) => string,
  code: (one: T) => string,
): Record<string, string> {
  return Object.fromEntries(all.map((one) => [`${folder}/${nameOf(one)}.php`, code(one)]));
}

// Messages

function messageClass({ name, doc, fields }: Message, describe: Describe): string {
  const properties = fields.map((field) => {
    const type = resultDocType(field);
    const tags = type === undefined ? [] : [`@var ${type}`];
    return `${phpDoc(describe(field.doc), "    ", tags)}    public readonly ${resultType(field)} $${camelCase(field.name)};\n`;
  });
  const assignments = fields.map((field) => assignment(`$this->${camelCase(field.name)}`, readingCode(field)));
  const code = `${phpDoc(describe(doc))}final class ${name} extends Result
{
${properties.join("\n")}
${phpDoc("Reads the JSON of the API. Fields that are absent get the default of their type.", "    ")}    public function __construct(\\stdClass $json)
    {
        parent::__construct($json);
${assignments.join("")}    }
}
`;
  const uses = ["Byond\\Result", ...(code.includes("JsonReader::") ? ["Byond\\Json\\JsonReader"] : [])];
  return phpFile("Byond\\Model", uses, code);
}

/** An assignment in a method. A call that is too long for a line gets one for each argument. */
function assignment(target: string, value: string): string {
  const inline = `        ${target} = ${value};\n`;
  const [, name, argument, closure] = /^([\w:]+)\(([^,]+), (static fn .*)\)$/.exec(value) ?? [];
  return inline.length <= 121 || closure === undefined
    ? inline
    : `        ${target} = ${name}(\n            ${argument},\n            ${closure},\n        );\n`;
}

function enumClass({ name, doc, values }: Enum, describe: Describe): string {
  const constants = values.map(
    ({ constant, word, doc: meaning }) =>
      `${phpDoc(describe(meaning), "    ")}    public const ${constant} = ${quoted(word)};\n`,
  );
  const comment = `${describe(doc) || "The possible values."} Newer servers may have values that are not here.`;
  return phpFile("Byond\\Model", [], `${phpDoc(comment)}final class ${name}\n{\n${constants.join("\n")}}\n`);
}

function errorCodeClass({ errors }: Model, describe: Describe): string {
  const ofServer = errors.map(({ code, status, doc }) => ({
    code,
    // What happened; what to do about it is in the reference.
    doc: `HTTP ${status}. ${describe(doc.split("\n\n")[0] ?? "")}`,
  }));
  const ofSdk = [
    { code: "connection_failed", doc: "The server was not reached, or the connection was lost." },
    { code: "timed_out", doc: "The deadline of the call passed." },
    { code: "invalid_response", doc: "What answered is not the API, but perhaps a proxy in front of it." },
    { code: "webhook_signature_invalid", doc: "A webhook was not signed with this secret, or not as it arrived." },
    { code: "webhook_signature_expired", doc: "A webhook was signed too long ago, or the clocks differ." },
  ];
  const constants = [...ofServer, ...ofSdk].map(
    ({ code, doc }) => `${phpDoc(doc, "    ")}    public const ${code.toUpperCase()} = ${quoted(code)};\n`,
  );
  const comment =
    "The codes of a `ByondException`: those of the server, and at the end those of the SDK itself. Newer servers may have codes that are not here.";
  return phpFile("Byond", [], `${phpDoc(comment)}final class ErrorCode\n{\n${constants.join("\n")}}\n`);
}

function versionClass({ version, apiVersion }: Model): string {
  return phpFile(
    "Byond",
    [],
    `${phpDoc("The versions of this package, and of the API that it is written for.")}final class Version
{
${phpDoc("The version of this package.", "    ")}    public const SDK = ${quoted(version)};

${phpDoc("The version of the API, as the header `Byond-Version` has it.", "    ")}    public const API = ${quoted(apiVersion)};
}
`,
  );
}

// Services

function servicesClass({ services }: Model, describe: Describe): string {
  const properties = services.map(
    ({ name, typeName, doc }) =>
      `${phpDoc(firstParagraph(describe(doc)), "    ")}    public readonly ${typeName} $${camelCase(name)};\n`,
  );
  const created = services.map(
    ({ name, typeName }) => `        $this->${camelCase(name)} = new ${typeName}($caller);\n`,
  );
  return phpFile(
    "Byond",
    services.map(({ typeName }) => `Byond\\Service\\${typeName}`),
    `${phpDoc("The services of the API. They are members of a `Client`.")}abstract class Services
{
${properties.join("\n")}
${phpDoc("@internal", "    ")}    public function __construct(Caller $caller)
    {
${created.join("")}    }
}
`,
  );
}

function serviceClass({ typeName, doc, operations }: Service, describe: Describe): string {
  const methods = operations.map((operation) => method(operation, describe)).join("\n");
  const code = `${phpDoc(describe(doc))}final class ${typeName}
{
${phpDoc("@internal", "    ")}    public function __construct(private readonly Caller $caller)
    {
    }

${methods}}
`;
  const models = operations.flatMap((operation) => modelsOf(operation, code));
  const uses = ["ByondException", "Caller", "EventStream", "Operation", "Page", "RequestOptions", "Json\\JsonWriter"]
    .filter((name) => new RegExp(`\\b${name.split("\\").at(-1)}\\b`).test(code))
    .map((name) => `Byond\\${name}`);
  return phpFile("Byond\\Service", [...uses, ...models], code);
}

/** The classes of `Byond\Model` that a method names. */
function modelsOf({ parameters, pages, result }: Operation, code: string): string[] {
  const inType = (type: FieldType): string[] => {
    switch (type.kind) {
      case "enum":
      case "message":
        return [type.name];
      case "list":
      case "map":
        return inType(type.of);
      default:
        return [];
    }
  };
  const names = [pages === undefined ? result.type : pages.itemType, ...parameters.flatMap(({ type }) => inType(type))];
  return names.filter((name) => new RegExp(`\\b${name}\\b`).test(code)).map((name) => `Byond\\Model\\${name}`);
}

function method(operation: Operation, describe: Describe): string {
  const { pathParameters, parameters, pages, stream, result } = operation;
  // Those that a call needs come first: PHP has it so.
  const ordered = [
    ...parameters.filter(({ isRequired }) => isRequired),
    ...parameters.filter(({ isRequired }) => !isRequired),
  ];
  const tags = [
    ...pathParameters.map((field) => `@param string $${camelCase(field.name)} ${firstParagraph(describe(field.doc))}`),
    ...ordered.map((field) => `@param ${parameterDocType(field)} $${camelCase(field.name)} ${describe(field.doc)}`),
    ...(pages === undefined ? [] : [`@return Page<${pages.itemType}>`]),
    ...(stream === undefined ? [] : [`@return EventStream<${result.type}>`]),
    ...(stream === undefined ? ["@throws ByondException"] : []),
  ];
  const declared = [
    ...pathParameters.map(({ name }) => `string $${camelCase(name)}`),
    ...ordered.map((field) => `${parameterType(field)} $${camelCase(field.name)}${field.isRequired ? "" : " = null"}`),
    "?RequestOptions $options = null",
  ].map((one, index) => `${isSecret([...pathParameters, ...ordered][index]) ? "#[\\SensitiveParameter] " : ""}${one}`);
  const returns = stream !== undefined ? "EventStream" : pages !== undefined ? "Page" : result.type;
  return `${phpDoc(describe(operation.doc), "    ", tags)}${signature(camelCase(operation.name), declared, returns)}
${body(operation)}    }
`;
}

/** Stack traces must not have what this field holds. PHP 8.1 does not know the attribute, and ignores it. */
function isSecret(field: Field | undefined): boolean {
  return field !== undefined && /(?:^|_)(?:password|refresh_token|code)$/.test(field.name);
}

function signature(name: string, parameters: readonly string[], returns: string): string {
  const inline = `    public function ${name}(${parameters.join(", ")}): ${returns}`;
  return inline.length <= 120 && !inline.includes("#[")
    ? `${inline}\n    {`
    : `    public function ${name}(\n${parameters.map((one) => `        ${one},\n`).join("")}    ): ${returns} {`;
}

function body(operation: Operation): string {
  const { pathParameters, parameters, pages, stream, result } = operation;
  const path = array(
    pathParameters.map(({ name }) => `${quoted(name)} => $${camelCase(name)}`),
    "            ",
  );
  const given = array(
    parameters.map((field) => `${quoted(field.name)} => ${writingCode(field)}`),
    "            ",
  );
  const call = stream !== undefined ? "stream" : pages !== undefined ? "page" : "call";
  const reads =
    pages !== undefined
      ? `            static fn (\\stdClass $json): ${pages.itemType} => new ${pages.itemType}($json),\n`
      : stream !== undefined
        ? `            static fn (\\stdClass $json): ${result.type} => new ${result.type}($json),\n`
        : "";
  const args = `            ${operationCode(operation)},\n            ${path},\n            ${given},\n            $options,\n${reads}`;
  return call === "call"
    ? `        return new ${result.type}($this->caller->call(\n${args}        ));\n`
    : `        return $this->caller->${call}(\n${args}        );\n`;
}

function operationCode({ http, parametersIn, pages, stream, ...operation }: Operation): string {
  const facts = [
    quoted(http.method),
    quoted(http.path),
    ...(parametersIn === "body" ? ["hasBody: true"] : []),
    ...(operation.credential === "none" ? ["takesCredential: false"] : []),
    ...(operation.hasSideEffects ? ["hasSideEffects: true"] : []),
    ...(operation.isRepeatable ? ["isRepeatable: true"] : []),
    ...(pages === undefined ? [] : [`itemsField: ${quoted(pages.itemsField)}`]),
    ...(stream === undefined ? [] : [`resumeParameter: ${quoted(stream.resumeParameter)}`]),
  ];
  const inline = `new Operation(${facts.join(", ")})`;
  return inline.length <= 107
    ? inline
    : `new Operation(\n${facts.map((fact) => `                ${fact},\n`).join("")}            )`;
}

function array(entries: readonly string[], indent: string): string {
  const inline = `[${entries.join(", ")}]`;
  return inline.length + indent.length <= 119
    ? inline
    : `[\n${entries.map((entry) => `${indent}    ${entry},\n`).join("")}${indent}]`;
}

function firstParagraph(text: string): string {
  return text.split("\n\n")[0] ?? "";
}
