import type { DescField, DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isRequired } from "../field-rules.ts";
import { answersHttpBody, takesHttpBody } from "../google-http-body.ts";
import { jsonMediaType } from "../http-response.ts";
import type { JsonStyle } from "../json/json-style.ts";
import type { OtherForm, OtherFormOf } from "../other-form.ts";
import type { Route } from "../route.ts";
import type { EventStreamFields } from "../server-sent-events.ts";
import type { Examples } from "./example-messages.ts";
import type { MessageSchemas } from "./message-schemas.ts";
import type { PathPart } from "./openapi-path.ts";
import { type Parameter, pathParameters, queryParameters } from "./parameters.ts";
import { commentOf, splitSummary } from "./proto-comments.ts";
import { lastEventIdParameter, streamContent, streamNotes } from "./stream-content.ts";

/** An operation as far as the schema describes it. */
export interface OperationFacts {
  readonly route: Route;
  /** The path of the document, below the base path. */
  readonly path: string;
  /** The comment of the RPC, as it is written. */
  readonly comment: string;
  readonly parameters: readonly Parameter[];
  readonly takesBody: boolean;
  /** An example of the request's body; undefined if the operation takes none, or raw bytes. */
  readonly bodyExample: JsonValue | undefined;
}

/** Properties of an operation that are not in the schema. */
export interface OperationDetails {
  /** HTTP status of a successful response; 200 by default. */
  readonly successStatus?: number;
  /** Headers of a successful response, by name. */
  readonly responseHeaders?: JsonObject;
  /** Other responses, by status. */
  readonly responses?: JsonObject;
  /** Parameters beyond those of the request message, such as headers. */
  readonly parameters?: readonly JsonObject[];
  /** Paragraphs below the description. */
  readonly notes?: readonly string[];
  /** Other members of the operation: `security`, extensions. */
  readonly members?: JsonObject;
}

export interface OperationContext {
  readonly style: JsonStyle;
  readonly schemas: MessageSchemas;
  readonly examples: Examples;
  readonly describe: (comment: string) => string;
  readonly title: ((method: DescMethod) => string) | undefined;
  readonly details: (facts: OperationFacts) => OperationDetails;
  readonly eventStream: ((method: DescMethod) => EventStreamFields | undefined) | undefined;
  readonly otherForm: OtherFormOf | undefined;
  /** Whether a field that the query could give is left out of the document. */
  readonly hidesParameter: (field: DescField) => boolean;
}

/** The place of an operation in the document. */
export interface OperationPlace {
  readonly route: Route;
  readonly path: string;
  readonly parts: readonly PathPart[];
  readonly operationId: string;
  readonly tag: string;
}

/** Builds the operation of a route. */
export function buildOperation(place: OperationPlace, context: OperationContext): JsonObject {
  const { route, path, parts, operationId, tag } = place;
  const { schemas, examples } = context;
  const comment = commentOf(route.method);
  const parameters = [...pathParameters(parts, schemas, examples), ...queryParameters(route, context)];
  const body = requestBody(route, context);
  const details = context.details({
    route,
    path,
    comment,
    parameters,
    takesBody: body !== undefined,
    bodyExample: body?.example,
  });
  const text = context.describe(comment);
  const title = context.title?.(route.method);
  const { summary, description } = title === undefined ? splitSummary(text) : { summary: title, description: text };
  const paragraphs = [description, ...(details.notes ?? [])].filter((paragraph) => paragraph !== "").join("\n\n");
  const allParameters = [
    ...parameters.map((parameter) => parameter.json),
    ...lastEventIdParameter(route, context.eventStream?.(route.method), context),
    ...(details.parameters ?? []),
  ];
  return {
    operationId,
    tags: [tag],
    ...(summary === "" ? {} : { summary }),
    ...(paragraphs === "" ? {} : { description: paragraphs }),
    ...(allParameters.length === 0 ? {} : { parameters: allParameters }),
    ...(body === undefined ? {} : { requestBody: body.json }),
    responses: {
      [String(details.successStatus ?? 200)]: successResponse(route, context, details.responseHeaders),
      ...details.responses,
    },
    ...details.members,
  };
}

interface RequestBody {
  readonly json: JsonObject;
  readonly example: JsonValue | undefined;
}

function requestBody(route: Route, { schemas, examples }: OperationContext): RequestBody | undefined {
  const { body, method, pathParameters: bound } = route;
  if (body.kind === "none") {
    return undefined;
  }
  if (takesHttpBody(route)) {
    return { json: { content: { "*/*": {} } }, example: undefined };
  }
  if (body.kind === "field") {
    const { field } = body;
    const { description, ...schema } = schemas.value(field, "request");
    const example = examples.anyOfField(field, "request");
    const required = isRequired(field);
    return {
      json: {
        ...(typeof description === "string" ? { description } : {}),
        ...(required ? { required } : {}),
        content: { [jsonMediaType]: { schema, example } },
      },
      example,
    };
  }
  const inPath = new Set(bound.filter(({ fields }) => fields.length === 1).flatMap(({ fields }) => fields));
  const isInBody = (field: DescField) => !inPath.has(field);
  if (!method.input.fields.some(isInBody)) {
    return undefined;
  }
  const schema = schemas.body(method.input, isInBody);
  const example = examples.ofMessage(method.input, "request", isInBody);
  const required = method.input.fields.some((field) => isInBody(field) && isRequired(field));
  return {
    json: { ...(required ? { required } : {}), content: { [jsonMediaType]: { schema, example } } },
    example,
  };
}

function successResponse(route: Route, context: OperationContext, headers: JsonObject | undefined): JsonObject {
  const { schemas, examples, describe, eventStream } = context;
  const { method, responseField } = route;
  const answer = responseField?.message ?? method.output;
  const comment = describe(commentOf(answer));
  const withHeaders = headers === undefined ? {} : { headers };
  if (answersHttpBody(route)) {
    return { description: comment || "Content of any media type.", ...withHeaders, content: { "*/*": {} } };
  }
  const schema =
    responseField === undefined ? schemas.message(answer, "response") : schemas.value(responseField, "response");
  const example = examples.ofReply(method, responseField);
  if (method.methodKind === "server_streaming") {
    const fields = eventStream?.(method);
    return {
      description: `${streamNotes(fields)} ${comment}`.trim(),
      ...withHeaders,
      content: streamContent(route, fields, { schema, example }, context),
    };
  }
  return {
    description: comment || "The answer.",
    ...withHeaders,
    content: { [jsonMediaType]: { schema, example }, ...otherFormContent(context.otherForm?.(method), example) },
  };
}

function otherFormContent(form: OtherForm | undefined, example: JsonValue): JsonObject {
  return form === undefined ? {} : { [form.mediaType]: { schema: { type: "string" }, example: form.render(example) } };
}
