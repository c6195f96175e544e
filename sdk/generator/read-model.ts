import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  FeatureSet_FieldPresence,
  FieldMaskSchema,
  StructSchema,
  TimestampSchema,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { isRequired } from "@byond/rest/field-rules";
import { isAlwaysWritten, isChoiceWrapper, isListWrapper, jsonEnumName } from "@byond/rest/json/json-style";
import { commentOf } from "@byond/rest/openapi/proto-comments";
import { type Route, routesOf } from "@byond/rest/route";
import { access, Credential } from "../../gen/byond/v1/access_pb.ts";
import rootPackage from "../../package.json" with { type: "json" };
import { errorCodes, errorGuide } from "../../src/capabilities/reference/error-guide.ts";
import { useOfIdempotencyKey } from "../../src/capabilities/reference/openapi/operation-errors.ts";
import { isAlwaysSet } from "../../src/capabilities/reference/openapi/reference-document.ts";
import { errorKinds } from "../../src/errors.ts";
import { hasSideEffects } from "../../src/idempotency/idempotency-interceptor.ts";
import { currentApiVersion } from "../../src/rpc/api-versions.ts";
import { eventStreamFields } from "../../src/rpc/event-stream-fields.ts";
import { restStyle } from "../../src/rpc/rest-style.ts";
import type {
  Choice,
  Enum,
  ErrorKind,
  Field,
  FieldType,
  Message,
  Model,
  Operation,
  Pages,
  Service,
  Stream,
} from "./model.ts";
import { methodName, pascalCase, serviceName } from "./names.ts";
import { scalarKind } from "./scalar-kind.ts";

/** Reads the model of services. Their files must have source information: comments are the documentation of the SDKs. */
export function readModel(services: readonly DescService[]): Model {
  return new ModelReader(services).read();
}

const credentials = new Map<number, Operation["credential"]>([
  [Credential.NONE, "none"],
  [Credential.API_KEY, "api_key"],
  [Credential.SESSION, "session"],
  [Credential.API_KEY_OR_SESSION, "api_key_or_session"],
]);

class ModelReader {
  readonly #services: readonly DescService[];
  readonly #messages = new Map<string, Message>();
  readonly #enums = new Map<string, Enum>();

  constructor(services: readonly DescService[]) {
    this.#services = services;
  }

  read(): Model {
    const services = this.#services.map((service) => this.#service(service));
    refuseDuplicates(services.map(({ name }) => name));
    return {
      version: rootPackage.version,
      apiVersion: currentApiVersion,
      errors: errorCodes.map((code): ErrorKind => {
        const { meaning, remedy } = errorGuide[code];
        return { code, status: errorKinds[code].httpStatus, doc: `${meaning}\n\n${remedy}` };
      }),
      services,
      messages: this.#markInputs(services),
      enums: [...this.#enums.values()],
    };
  }

  /** All messages, those marked that no result contains. */
  #markInputs(services: readonly Service[]): Message[] {
    const inResults = new Set<string>();
    const visit = (name: string): void => {
      if (!inResults.has(name)) {
        inResults.add(name);
        for (const { type } of this.#messages.get(name)?.fields ?? []) {
          messagesIn(type).forEach(visit);
        }
      }
    };
    for (const { result } of services.flatMap(({ operations }) => operations)) {
      visit(result.type);
    }
    return [...this.#messages.values()].map((message) => ({ ...message, isInput: !inResults.has(message.name) }));
  }

  #service(service: DescService): Service {
    const rpcNames = service.methods.map(({ name }) => name);
    const name = serviceName(service.name, rpcNames);
    const operations = service.methods.flatMap((method) => {
      const [route] = routesOf(method, "skip", []);
      return route === undefined ? [] : [this.#operation(name, method, route)];
    });
    refuseDuplicates(operations.map(({ id }) => id));
    return { name, typeName: pascalCase(name), rpcService: service.typeName, doc: commentOf(service), operations };
  }

  #operation(serviceMember: string, method: DescMethod, route: Route): Operation {
    const { httpMethod, template, pathParameters, body, responseField } = route;
    const name = methodName(method.parent.name, method.name);
    const pathFields = pathParameters.map(({ fieldPath, fields: [field, ...inner] }) => {
      if (field === undefined || inner.length > 0) {
        throw new Error(`${method.name}: the path binds "${fieldPath}", which SDKs cannot name`);
      }
      return field;
    });
    const container = body.kind === "field" ? body.field.message : method.input;
    const fields = (container?.fields ?? []).filter((field) => !pathFields.includes(field) && !isFieldMask(field));
    const rules = getOption(method, access);
    const credential = credentials.get(rules.credential);
    if (credential === undefined || !isHttpMethod(httpMethod)) {
      throw new Error(`${method.name}: has no credential, or a method that SDKs do not know`);
    }
    const result = responseField === undefined ? method.output : responseField.message;
    if (result === undefined) {
      throw new Error(`${method.name}: its result is no message`);
    }
    const resultType = this.#message(result);
    return {
      name,
      id: `${serviceMember}.${name}`,
      rpcName: method.name,
      doc: commentOf(method),
      http: { method: httpMethod, path: template },
      pathParameters: pathFields.map((field) => this.#field(field, container)),
      parameters: fields.map((field) => this.#field(field, container)),
      parametersType: fields.length === 0 ? undefined : `${method.name}Params`,
      parametersIn: body.kind !== "none" ? "body" : fields.length > 0 ? "query" : "none",
      parametersField: body.kind === "field" ? body.field.name : undefined,
      result: { type: resultType, field: responseField?.name },
      pages: this.#pages(method),
      stream: streamOf(method),
      credential,
      scope: rules.scope === "" ? undefined : rules.scope,
      hasSideEffects: hasSideEffects(method),
      isRepeatable: isIdempotent(method) || useOfIdempotencyKey(method, rules) !== "accepted",
    };
  }

  #pages({ input, output }: DescMethod): Pages | undefined {
    const [items, ...others] = output.fields.filter(({ fieldKind }) => fieldKind === "list");
    const hasTokens =
      input.fields.some(({ name }) => name === "page_token") &&
      output.fields.some(({ name }) => name === "next_page_token");
    if (!hasTokens || items?.message === undefined || others.length > 0) {
      return undefined;
    }
    return {
      itemsField: items.name,
      itemType: this.#message(items.message),
      tokenParameter: "page_token",
      nextTokenField: "next_page_token",
    };
  }

  #field(field: DescField, parent: DescMessage | undefined): Field {
    return {
      name: field.name,
      doc: commentOf(field),
      type: this.#type(field, parent),
      isRequired: isRequired(field),
      isNullable: canBeNull(field),
      isOmittable: !isAlwaysWritten(field, restStyle),
    };
  }

  #type(field: DescField, parent: DescMessage | undefined): FieldType {
    switch (field.fieldKind) {
      case "list":
        return { kind: "list", of: this.#elementType(field) };
      case "map":
        return { kind: "map", of: this.#elementType(field) };
      default:
        return field.message !== undefined && isChoiceWrapper(field.message)
          ? this.#choice(field.message, parent)
          : this.#elementType(field);
    }
  }

  #elementType(field: DescField): FieldType {
    if (field.enum !== undefined) {
      return { kind: "enum", name: this.#enum(field.enum) };
    }
    if (field.message !== undefined) {
      return this.#messageType(field.message);
    }
    return { kind: scalarKind(field.scalar ?? ScalarType.STRING) };
  }

  #messageType(message: DescMessage): FieldType {
    switch (message.typeName) {
      case TimestampSchema.typeName:
        return { kind: "timestamp" };
      case StructSchema.typeName:
      case ValueSchema.typeName:
        return { kind: "json" };
    }
    const [list] = message.fields;
    return isListWrapper(message) && list !== undefined
      ? { kind: "list", of: this.#elementType(list) }
      : { kind: "message", name: this.#message(message) };
  }

  #choice(message: DescMessage, parent: DescMessage | undefined): Choice {
    if (!parent?.fields.some(({ name, enum: words }) => name === "type" && words !== undefined)) {
      throw new Error(`${message.typeName}: no field \`type\` beside it tells which of the messages it is`);
    }
    const cases = message.fields.flatMap((field) =>
      field.message === undefined ? [] : [{ word: field.name, message: this.#message(field.message) }],
    );
    return { kind: "choice", discriminator: "type", cases };
  }

  /** Adds a message, and those that it contains, unless they are there. */
  #message(message: DescMessage): string {
    const name = bareName(message);
    if (!this.#messages.has(name)) {
      // Set before its fields are read: a message may contain itself.
      const fields: Field[] = [];
      this.#messages.set(name, { name, doc: commentOf(message), fields, isInput: false });
      fields.push(...message.fields.map((field) => this.#field(field, message)));
    }
    return name;
  }

  #enum(type: DescEnum): string {
    const name = bareName(type);
    if (!this.#enums.has(name)) {
      const known = type.values.filter(({ number }) => number !== 0);
      this.#enums.set(name, {
        name,
        typeName: type.typeName,
        doc: commentOf(type),
        values: known.map((value) => ({
          word: jsonEnumName(value, restStyle),
          number: value.number,
          constant: jsonEnumName(value, { ...restStyle, enumWord: () => undefined }).toUpperCase(),
          doc: commentOf(value),
        })),
      });
    }
    return name;
  }
}

/** The messages that values of a type are, or contain directly. */
function messagesIn(type: FieldType): readonly string[] {
  switch (type.kind) {
    case "message":
      return [type.name];
    case "list":
    case "map":
      return messagesIn(type.of);
    case "choice":
      return type.cases.map(({ message }) => message);
    default:
      return [];
  }
}

/** `StartVerificationResponse.Status` → `StartVerificationResponseStatus`. */
function bareName({ typeName, file }: DescMessage | DescEnum): string {
  return typeName.slice(file.proto.package.length + 1).replaceAll(".", "");
}

function isFieldMask({ message }: DescField): boolean {
  return message?.typeName === FieldMaskSchema.typeName;
}

/** Only a message is always set, unless its comment says when it is null. */
function canBeNull(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.EXPLICIT && !isAlwaysSet(field);
}

function streamOf(method: DescMethod): Stream | undefined {
  const { id, lastEventId } = eventStreamFields(method) ?? {};
  if (method.methodKind !== "server_streaming") {
    return undefined;
  }
  if (id === undefined || lastEventId === undefined) {
    throw new Error(`${method.name}: SDKs cannot resume a stream without ids`);
  }
  return { resumeField: id, resumeParameter: lastEventId };
}

/** `NO_SIDE_EFFECTS` or `IDEMPOTENT`. */
function isIdempotent({ idempotency }: DescMethod): boolean {
  return idempotency !== 0;
}

const httpMethods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

function isHttpMethod(text: string): text is (typeof httpMethods)[number] {
  return httpMethods.some((method) => method === text);
}

function refuseDuplicates(names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new Error(
      `two services or RPCs would be called "${repeated}" in the SDKs: give one of them a name in names.ts`,
    );
  }
}
