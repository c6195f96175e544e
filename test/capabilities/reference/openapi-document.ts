import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** As much of an OpenAPI document as tests look at. */
export interface OpenApiDocument {
  readonly servers: readonly { readonly url: string }[];
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly "x-webhooks": Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly parameters: Readonly<Record<string, Parameter>>;
  };
}

export type Schema = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response | Reference>>;
  readonly "x-credentials": readonly ("key" | "session")[];
  readonly "x-required-scope"?: string;
  readonly "x-codeSamples": readonly { readonly label: string; readonly source: string }[];
}

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Reference {
  readonly $ref: string;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content: Content;
}

interface MediaType {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

type Content = Readonly<Record<string, MediaType>>;

/** An operation and where it is. */
export interface PlacedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Reads a document, and validates against its schemas. */
export class DocumentReader {
  readonly document: OpenApiDocument;
  readonly #ajv: Ajv2020;
  readonly #validators = new WeakMap<Schema, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
    addFormats.default(this.#ajv);
    // RFC 6531, which `ajv-formats` does not have.
    this.#ajv.addFormat("idn-email", /^[^@\s]+@[^@\s]+$/u);
    this.#ajv.addSchema(closed(document), "document");
  }

  operations(): PlacedOperation[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  response(operation: Operation, status: number): Response | undefined {
    const response = operation.responses[String(status)];
    return response === undefined ? undefined : this.#resolve(response, this.document.components.responses);
  }

  parameters(operation: Operation): Parameter[] {
    return (operation.parameters ?? []).map((parameter) =>
      this.#resolve(parameter, this.document.components.parameters),
    );
  }

  /** What is wrong with a value; empty if nothing is. Members that the schema does not name are wrong. */
  problems(schema: Schema, value: unknown): string[] {
    const validate = this.#validators.get(schema) ?? this.#ajv.compile(inDocument(closed(schema)));
    this.#validators.set(schema, validate);
    validate(value);
    return (validate.errors ?? []).map(describeProblem);
  }

  #resolve<T extends object>(value: T | Reference, components: Readonly<Record<string, T>>): T {
    if (!("$ref" in value)) {
      return value;
    }
    const found = components[value.$ref.split("/").at(-1) ?? ""];
    if (found === undefined) {
      throw new TypeError(`nothing is at ${value.$ref}`);
    }
    return found;
  }
}

function describeProblem({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}

/** The same with every object closed: what it does not name must not be there. */
function closed<T>(value: T): T;
function closed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => closed(item));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const members = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, closed(member)]));
  const isObject = members.type === "object" && "properties" in members && !("additionalProperties" in members);
  return isObject ? { ...members, additionalProperties: false } : members;
}

/** The same with references that lead into the document. */
function inDocument(value: Schema): Schema {
  return JSON.parse(JSON.stringify(value).replaceAll('"$ref":"#/', '"$ref":"document#/'));
}
