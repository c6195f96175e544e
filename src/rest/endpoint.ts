import { createRegistry, type DescFile, type DescMethod, type Message, type Registry } from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec, ServiceImplSpec } from "@connectrpc/connect";
import { answersHttpBody, fromHttpBody } from "./google-http-body.ts";
import { jsonContent, jsonMediaType, ResponseContent } from "./http-response.ts";
import { composeStream, composeUnary, type StreamCall, type UnaryCall } from "./interceptor-chain.ts";
import { findEnumClashes } from "./json/enum-clashes.ts";
import { JsonReader } from "./json/json-reader.ts";
import type { JsonStyle } from "./json/json-style.ts";
import { JsonWriter } from "./json/json-writer.ts";
import { compileLongListWriter } from "./json/long-list-writer.ts";
import { getField, membersOf } from "./json/value-type.ts";
import type { OtherFormOf } from "./other-form.ts";
import { compileRequestBinder, type RequestBinder } from "./request-binder.ts";
import { type Route, routesOf } from "./route.ts";
import { buildRouteTrie, RouteConflictError, type RouteTrie } from "./route-trie.ts";
import { bindEventStream, type EventStreamFields } from "./server-sent-events.ts";
import { type StreamFormat, streamFormats, streamMediaTypes } from "./stream-format.ts";

/** A route and the functions compiled for it. */
export interface Endpoint {
  readonly route: Route;
  readonly bind: RequestBinder;
  readonly call: Call;
  /** Turns a response message into the content of the response. */
  readonly render: (message: Message) => ResponseContent;
  /** The same for a response that is one message. What is long is rendered in several turns of the event loop. */
  readonly renderWhole: (message: Message) => ResponseContent | Promise<ResponseContent>;
  /** The same in another form than JSON. Undefined: there is none. */
  readonly otherForm:
    | { readonly mediaType: string; readonly render: (message: Message) => ResponseContent }
    | undefined;
  /** How a stream of messages is written to a client with this `Accept`. Undefined: it is bytes, or no stream. */
  readonly streamFormat: ((accept: string | null) => StreamFormat) | undefined;
  /** Whether there is something of a streamed message to show: a heartbeat of the handler has no `response_body`. */
  readonly isShown: (message: Message) => boolean;
  /** The possible media types of the response; empty if the handler chooses it (`google.api.HttpBody`). */
  readonly mediaTypes: readonly string[];
  /** HTTP status of a successful response. */
  readonly status: number;
}

type Call =
  | { readonly kind: "unary"; readonly invoke: UnaryCall }
  | { readonly kind: "stream"; readonly invoke: StreamCall };

export interface EndpointOptions {
  readonly services: readonly ServiceImplSpec[];
  readonly interceptors: readonly Interceptor[];
  readonly json: JsonStyle;
  readonly unmappedMethods: "refuse" | "skip";
  readonly unknownFields: "refuse" | "ignore";
  readonly registry: Registry | undefined;
  readonly successStatus: (method: DescMethod) => number;
  readonly eventStream?: ((method: DescMethod) => EventStreamFields | undefined) | undefined;
  readonly otherForm?: OtherFormOf | undefined;
}

/** A schema that cannot be served over REST. The message lists every problem, one on a line. */
export class SchemaError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the schema cannot be served over REST:\n${problems.join("\n")}`);
    this.name = "SchemaError";
    this.problems = problems;
  }
}

/** Compiles all routes of the services. Throws one {@link SchemaError} with every problem. */
export function compileEndpoints(options: EndpointOptions): {
  endpoints: readonly Endpoint[];
  routes: RouteTrie<Endpoint>;
} {
  const problems: string[] = [];
  const mapped = options.services
    .flatMap((service) => Object.values(service.methods))
    .flatMap((spec) => {
      const { method } = spec;
      const events = bindEventStream(method, options.eventStream?.(method), options.json, problems);
      return routesOf(method, options.unmappedMethods, problems).map((route) => ({ spec, route, events }));
    });
  reportDuplicates(
    mapped.map(({ route }) => route),
    problems,
  );
  const messages = mapped.flatMap(({ route }) => [route.method.input, route.method.output]);
  problems.push(...findEnumClashes(messages, options.json));
  if (problems.length > 0) {
    throw new SchemaError(problems);
  }
  const jsonOptions = {
    style: options.json,
    ignoresUnknownFields: options.unknownFields === "ignore",
    registry: options.registry ?? registryOf(options.services),
  };
  const reader = new JsonReader(jsonOptions);
  const writer = new JsonWriter(jsonOptions);
  const calls = new Map<MethodImplSpec, Call>();
  const endpoints = mapped.map(({ spec, route, events }): Endpoint => {
    const call = calls.get(spec) ?? composeCall(spec, options.interceptors);
    calls.set(spec, call);
    const otherForm = call.kind === "unary" ? otherFormOf(route, writer, options.otherForm) : undefined;
    return {
      route,
      bind: compileRequestBinder(route, reader, events.lastEventId),
      call,
      render: renderer(route, writer),
      renderWhole: wholeRenderer(route, writer),
      otherForm,
      mediaTypes: mediaTypesOf(route, call, otherForm),
      streamFormat: call.kind === "stream" && !answersHttpBody(route) ? streamFormats(events) : undefined,
      isShown: visibility(route),
      status: options.successStatus(spec.method),
    };
  });
  const routes = buildRouteTrie(
    endpoints.map((endpoint) => ({
      method: endpoint.route.httpMethod,
      template: endpoint.route.template,
      target: endpoint,
    })),
  );
  return { endpoints, routes };
}

function composeCall(spec: MethodImplSpec, interceptors: readonly Interceptor[]): Call {
  switch (spec.kind) {
    case "unary":
      return { kind: "unary", invoke: composeUnary(spec, interceptors) };
    case "server_streaming":
      return { kind: "stream", invoke: composeStream(spec, interceptors) };
    default:
      throw new TypeError(`${spec.method.name} streams requests, which REST cannot express`);
  }
}

function renderer(route: Route, writer: JsonWriter): (message: Message) => ResponseContent {
  const { method, responseField } = route;
  if (answersHttpBody(route)) {
    return (message) =>
      fromHttpBody(responseField === undefined ? message : getField(membersOf(message), responseField));
  }
  const write = responseField === undefined ? writer.message(method.output) : writer.field(responseField);
  return (message) => jsonContent(write(message));
}

function wholeRenderer(route: Route, writer: JsonWriter): Endpoint["renderWhole"] {
  const render = renderer(route, writer);
  if (route.responseField !== undefined) {
    return render;
  }
  const writeLong = compileLongListWriter(route.method.output, writer);
  return (message) => writeLong(message)?.then((text) => new ResponseContent(jsonMediaType, text)) ?? render(message);
}

function otherFormOf(route: Route, writer: JsonWriter, formOf: OtherFormOf | undefined): Endpoint["otherForm"] {
  const form = route.responseField === undefined ? formOf?.(route.method) : undefined;
  if (form === undefined) {
    return undefined;
  }
  const write = writer.message(route.method.output);
  return {
    mediaType: form.mediaType,
    render: (message) => new ResponseContent(`${form.mediaType}; charset=utf-8`, form.render(write(message))),
  };
}

function mediaTypesOf(route: Route, call: Call, otherForm: Endpoint["otherForm"]): readonly string[] {
  if (answersHttpBody(route)) {
    return [];
  }
  return call.kind === "stream" ? streamMediaTypes : [jsonMediaType, ...(otherForm ? [otherForm.mediaType] : [])];
}

/** Whether a message has what the route shows of it. */
function visibility({ responseField }: Route): (message: Message) => boolean {
  return responseField?.fieldKind === "message"
    ? (message) => getField(membersOf(message), responseField) !== undefined
    : () => true;
}

function reportDuplicates(routes: readonly Route[], problems: string[]): void {
  try {
    buildRouteTrie(routes.map(({ httpMethod, template }) => ({ method: httpMethod, template, target: undefined })));
  } catch (error) {
    if (!(error instanceof RouteConflictError)) {
      throw error;
    }
    problems.push(...error.conflicts);
  }
}

/** All types of the services' files and of the files that these import. */
function registryOf(services: readonly ServiceImplSpec[]): Registry {
  const files = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (!files.has(file)) {
      files.add(file);
      file.dependencies.forEach(add);
    }
  };
  for (const { service } of services) {
    add(service.file);
  }
  return createRegistry(...files);
}
