/** The parts of the OpenAPI document that the pages show. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface Reference {
  readonly $ref: string;
}

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly string[];
  /** The values that a response can have today. More may be added. */
  readonly "x-extensible-enum"?: readonly string[];
  /** In the order of the values. */
  readonly "x-enum-descriptions"?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
}

export interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

export interface MediaType {
  readonly schema?: Schema;
  readonly example?: Json;
  readonly examples?: Readonly<Record<string, { readonly value?: Json }>>;
}

export type Content = Readonly<Record<string, MediaType>>;

export interface Response {
  readonly description?: string;
  readonly content?: Content;
}

export interface CodeSample {
  readonly lang: string;
  readonly label: string;
  readonly source: string;
}

export interface Operation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required?: boolean; readonly description?: string; readonly content?: Content };
  readonly responses?: Readonly<Record<string, Response | Reference>>;
  readonly "x-codeSamples"?: readonly CodeSample[];
  /** `byond.v1.VerifyService/StartVerification`. */
  readonly "x-rpc"?: string;
  /** What it takes, the preferred one first. Empty: anybody may call. */
  readonly "x-credentials"?: readonly ("key" | "session")[];
  /** The scope that a key needs. */
  readonly "x-required-scope"?: string;
}

export type PathItem = Readonly<Record<string, Operation>>;

export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly summary?: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly "x-webhooks"?: Readonly<Record<string, PathItem>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses?: Readonly<Record<string, Response>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
  };
}

/** What a `$ref` to a component leads to, or the thing itself. */
export function parameterOf(document: OpenApi, parameter: Parameter | Reference): Parameter {
  return "$ref" in parameter ? component(document.components.parameters, parameter.$ref) : parameter;
}

export function responseOf(document: OpenApi, response: Response | Reference): Response {
  return "$ref" in response ? component(document.components.responses, response.$ref) : response;
}

/** A schema that is no reference. What is beside the reference (a description) has precedence. */
export function schemaOf(document: OpenApi, schema: Schema): Schema {
  if (schema.$ref === undefined) {
    return schema;
  }
  const { $ref, ...beside } = schema;
  return { ...schemaOf(document, component(document.components.schemas, $ref)), ...beside };
}

function component<T>(components: Readonly<Record<string, T>> | undefined, reference: string): T {
  const found = components?.[reference.slice(reference.lastIndexOf("/") + 1)];
  if (found === undefined) {
    throw new TypeError(`the document has no ${reference}`);
  }
  return found;
}
