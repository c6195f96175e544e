import type { ErrorCode } from "../../../errors.ts";
import { errorKinds } from "../../../errors.ts";
import { errorCodes } from "../error-guide.ts";
import { webhookTag } from "../openapi/webhook-section.ts";
import { type Field, fieldOf, fieldsOf } from "./fields.ts";
import {
  type CodeSample,
  type Json,
  type MediaType,
  type OpenApi,
  type Operation,
  parameterOf,
  type Response,
  responseOf,
  schemaOf,
} from "./openapi-shape.ts";

/** An operation, with everything that its section shows. */
export interface DocumentedOperation {
  /** Also its anchor. */
  readonly id: string;
  readonly title: string;
  readonly method: string;
  /** Below the origin: `/api/v1/verify/start`. */
  readonly path: string;
  /** `byond.v1.VerifyService/StartVerification`. */
  readonly rpc: string | undefined;
  /** Markdown. */
  readonly description: string;
  /** Markdown: which credential it takes, and the scope of a key. */
  readonly credential: string;
  /** What a request has, by place. Places without fields are left out. */
  readonly request: readonly FieldList[];
  readonly response: {
    readonly status: string;
    /** Markdown. */
    readonly description: string;
    readonly fields: readonly Field[];
    readonly examples: readonly { readonly type: string; readonly text: string }[];
  };
  readonly errors: readonly ErrorCode[];
  readonly samples: readonly CodeSample[];
}

export interface FieldList {
  readonly place: "path" | "query" | "header" | "body";
  readonly title: string;
  readonly fields: readonly Field[];
}

/** Something that the server sends to an endpoint. */
export interface DocumentedEvent {
  readonly id: string;
  readonly type: string;
  /** Markdown. */
  readonly description: string;
  readonly example: string;
}

/** A group of operations: a page of the reference. */
export interface OperationGroup {
  readonly title: string;
  /** Markdown. */
  readonly description: string;
  readonly operations: readonly DocumentedOperation[];
  readonly events: readonly DocumentedEvent[];
  /** The headers of the requests with events. */
  readonly eventHeaders: readonly Field[];
}

const methods = ["get", "post", "put", "patch", "delete"];

/** The last part of a group's address: `API keys` → `api-keys`. */
export function groupSlug(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

/** Reads a group of operations from the document. */
export function readGroup(document: OpenApi, title: string): OperationGroup {
  const isOfGroup = ({ tags = [] }: Operation) => tags.includes(title);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation !== undefined && isOfGroup(operation) ? [readOperation(document, method, path, operation)] : [];
    }),
  );
  const events = Object.entries(document["x-webhooks"] ?? {}).flatMap(([type, { post }]) =>
    post !== undefined && title === webhookTag ? [readEvent(type, post)] : [],
  );
  const description = document.tags.find(({ name }) => name === title)?.description ?? "";
  const [delivery] = title === webhookTag ? Object.values(document["x-webhooks"] ?? {}) : [];
  const eventHeaders = (delivery?.post === undefined ? [] : requestOf(document, delivery.post))
    .filter(({ place }) => place === "header")
    .flatMap(({ fields }) => fields);
  return { title, description, operations, events, eventHeaders };
}

function readOperation(document: OpenApi, method: string, path: string, operation: Operation): DocumentedOperation {
  const responses = Object.entries(operation.responses ?? {}).map(
    ([status, response]) => [status, responseOf(document, response)] as const,
  );
  const [status, success] = responses.find(([name]) => name.startsWith("2")) ?? ["200", {}];
  const content = Object.entries(success.content ?? {});
  const [, main] = content[0] ?? [];
  return {
    id: operation.operationId,
    title: operation.summary ?? operation.operationId,
    method: method.toUpperCase(),
    path: new URL(document.servers[0]?.url ?? "", "http://localhost").pathname.replace(/\/$/, "") + path,
    rpc: operation["x-rpc"],
    ...splitDescription(operation),
    request: requestOf(document, operation),
    response: {
      status,
      description: success.description ?? "",
      fields: main?.schema === undefined ? [] : fieldsOf(document, main.schema),
      examples: content.flatMap(([type, media]) => {
        const text = exampleText(media);
        return text === undefined ? [] : [{ type, text }];
      }),
    },
    errors: errorsOf(responses.filter(([name]) => /^[45]/.test(name)).map(([, response]) => response)),
    samples: operation["x-codeSamples"] ?? [],
  };
}

function requestOf(document: OpenApi, { parameters = [], requestBody }: Operation): FieldList[] {
  const all = parameters.map((parameter) => parameterOf(document, parameter));
  const of = (place: "path" | "query" | "header") =>
    all
      .filter((parameter) => parameter.in === place)
      .map(({ name, required = false, description = "", schema = {} }) =>
        fieldOf(document, {
          name,
          // The schema's own description is about the type; the parameter's is about its use.
          schema: description === "" ? schema : { ...schemaOf(document, schema), description },
          isRequired: required,
        }),
      );
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  const lists: FieldList[] = [
    { place: "path", title: "Path", fields: of("path") },
    { place: "query", title: "Query", fields: of("query") },
    { place: "header", title: "Headers", fields: of("header") },
    { place: "body", title: "Body", fields: body === undefined ? [] : fieldsOf(document, body) },
  ];
  const rank = ["path", "query", "body", "header"];
  return lists
    .filter(({ fields }) => fields.length > 0)
    .toSorted((one, other) => rank.indexOf(one.place) - rank.indexOf(other.place));
}

function exampleText({ example, examples }: MediaType): string | undefined {
  const value: Json | undefined = example ?? Object.values(examples ?? {})[0]?.value;
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

/** The codes that the examples of error responses have, by status. */
function errorsOf(responses: readonly Response[]): ErrorCode[] {
  const named = new Set(
    responses.flatMap(({ content = {} }) =>
      Object.values(content).flatMap(({ examples = {} }) => Object.keys(examples)),
    ),
  );
  return errorCodes
    .filter((code) => named.has(code))
    .toSorted((one, other) => errorKinds[one].httpStatus - errorKinds[other].httpStatus);
}

function credentialInWords(operation: Operation): string {
  const { "x-credentials": credentials = [], "x-required-scope": scope } = operation;
  const words = {
    key: scope === undefined ? "API key" : `API key with the scope \`${scope}\``,
    session: "access token of a session",
  };
  const text = credentials.map((credential) => words[credential]).join(", or ");
  return text === "" ? "None" : text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The document says in the description, too, what the operation takes. The page has that in a place of its own. */
function splitDescription(operation: Operation): Pick<DocumentedOperation, "description" | "credential"> {
  const { description = "", "x-credentials": credentials = [] } = operation;
  const isOfCredential = (paragraph: string) => /^(Takes (an|the) |(An|The) API key must have )/.test(paragraph);
  const paragraphs = description.split("\n\n");
  const notes = credentials.length === 0 ? [] : paragraphs.filter(isOfCredential);
  return {
    description: paragraphs.filter((paragraph) => !notes.includes(paragraph)).join("\n\n"),
    credential: notes.length === 0 ? credentialInWords(operation) : notes.join(" "),
  };
}

function readEvent(type: string, { operationId, description = "", requestBody }: Operation): DocumentedEvent {
  const media = Object.values(requestBody?.content ?? {})[0];
  return { id: operationId, type, description, example: (media && exampleText(media)) ?? "" };
}
