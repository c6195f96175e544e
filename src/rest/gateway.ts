import type { DescMethod, Message, Registry } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  type HandlerContext,
  type Interceptor,
  type ServiceImplSpec,
} from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { CallContext } from "./call-context.ts";
import { compileEndpoints, type Endpoint } from "./endpoint.ts";
import { bindingViolations, ViolationCollector } from "./field-violations.ts";
import { findEndpoint } from "./find-endpoint.ts";
import { GatewayError } from "./gateway-error.ts";
import { HeaderFields } from "./header-fields.ts";
import {
  contentResponse,
  errorResponse,
  jsonContent,
  jsonMediaType,
  ResponseContent,
  type RestError,
} from "./http-response.ts";
import type { StreamCall } from "./interceptor-chain.ts";
import type { JsonStyle } from "./json/json-style.ts";
import { prefers, requireAcceptable } from "./media-type.ts";
import type { OtherFormOf } from "./other-form.ts";
import { parseQuery, splitUrl } from "./query-string.ts";
import { readRequestBody } from "./read-request-body.ts";
import { readTimeout } from "./request-timeout.ts";
import type { Route } from "./route.ts";
import type { RouteTrie } from "./route-trie.ts";
import { type EventStreamFields, readLastEventId } from "./server-sent-events.ts";
import { StreamOpening, streamOpeningKey } from "./stream-opening.ts";
import { streamResponse } from "./stream-response.ts";

/** A request of a server. */
export interface RestRequest extends UniversalServerRequest {
  /** Path and query as they are in the URL, if they are known without it. */
  readonly target?: string;
}

/** What is known of a request when it fails. */
export interface ErrorContext {
  /** The values of the call, with all that the gate and the interceptors put there. */
  readonly values: ContextValues;
  /** The RPC, once the route is known. */
  readonly method?: DescMethod;
  readonly route?: Route;
  readonly request: UniversalServerRequest;
}

export interface GatewayOptions {
  /** What to serve: `createServiceImplSpec(service, implementation)` of `@connectrpc/connect`. */
  readonly services: readonly ServiceImplSpec[];
  /** The very interceptors that calls of the other protocols pass. Composed once. */
  readonly interceptors: readonly Interceptor[];
  /** Runs when the route is known, before the body is read. What it throws is the answer. */
  readonly requestGate?: (context: HandlerContext) => void | Promise<void>;
  readonly json: JsonStyle;
  /** Turns whatever went wrong, a {@link GatewayError}, a `ConnectError` or anything else, into an answer. */
  readonly errorResponse: (error: unknown, context: ErrorContext) => RestError;
  /** HTTP status of a successful answer; 200 by default. */
  readonly successStatus?: (method: DescMethod) => number;
  /** Whether an RPC without `google.api.http` is an error at start-up (the default), or not served. One that streams its requests never has it. */
  readonly unmappedMethods?: "refuse" | "skip";
  /** Whether unknown fields and query parameters are violations (the default), or ignored. */
  readonly unknownFields?: "refuse" | "ignore";
  /** The limit of request bodies, as received and decompressed, of all RPCs or of each; 64 KiB by default. */
  readonly maxBodyBytes?: number | ((method: DescMethod) => number);
  /** Aborts the signals of all calls. */
  readonly shutdownSignal?: AbortSignal;
  /** Told the route of every request that has one. */
  readonly onRoute?: (route: Route, values: ContextValues) => void;
  /** Wraps the JSON of every answer, of success and of error, to a request with these headers. By default nothing does. */
  readonly wrapBody?: (requestHeader: Headers) => ((isOk: boolean, json: string) => string) | undefined;
  /** The fields of a server-streaming RPC that server-sent events have a place for. By default none have. */
  readonly eventStream?: (method: DescMethod) => EventStreamFields | undefined;
  /** Another form of an RPC's answers, such as CSV, beside JSON. By default none has one. Errors are JSON. */
  readonly otherForm?: OtherFormOf;
  /** After which time without a message a heartbeat is sent; 15 seconds by default, as HTML §9.2.7 suggests. */
  readonly heartbeatMs?: number;
  /** The types that a `google.protobuf.Any` may hold; by default all of the services' files and their imports. */
  readonly registry?: Registry;
}

export interface Gateway {
  readonly routes: readonly Route[];
  /**
   * Answers a request. Never throws: failures, also those of the handlers, are answered with what `errorResponse` says,
   * and with an empty 500 if that throws.
   *
   * Requests are refused in this order: no such path (404), no such method there (405, with `Allow`), whatever the gate
   * throws, `Accept` without JSON (406), a body that is too large (413), of another type (415) or malformed (400), and
   * last fields that are wrong (422, see {@link bindingViolations}).
   */
  handle(request: RestRequest): Promise<UniversalServerResponse>;
}

/**
 * Serves RPCs with `google.api.http` options as JSON over HTTP, as one more protocol in front of their interceptors.
 * Works on Connect's universal requests and responses, so it needs no sockets. Throws one `SchemaError` that lists
 * every problem of the schema.
 *
 * `HEAD` is served wherever `GET` is, and `OPTIONS` answers 204 with `Allow`. A request to an RPC without `body` must
 * not have content. Requests may be compressed with gzip or br; answers of more than 1 KiB are, where the
 * client takes it. `Request-Timeout: <seconds>` limits the time of a call, and like a client that goes away it aborts
 * the signal of its context. A `GET` of an RPC with `idempotency_level = NO_SIDE_EFFECTS` has an `ETag`. Streams of
 * responses are sent as JSON lines (`application/x-ndjson`), or as server-sent events to a client that prefers `text/event-stream`;
 * see {@link GatewayOptions.eventStream} and `openStream`. Response trailers are not sent.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { endpoints, routes } = compileEndpoints({
    services: options.services,
    interceptors: options.interceptors,
    json: options.json,
    unmappedMethods: options.unmappedMethods ?? "refuse",
    unknownFields: options.unknownFields ?? "refuse",
    registry: options.registry,
    successStatus: options.successStatus ?? (() => 200),
    eventStream: options.eventStream,
    otherForm: options.otherForm,
  });
  return {
    routes: endpoints.map(({ route }) => route),
    handle: (request) => handle(request, routes, options),
  };
}

const defaultMaxBodyBytes = 65_536;

function maxBodyBytesOf(method: DescMethod, { maxBodyBytes = defaultMaxBodyBytes }: GatewayOptions): number {
  return typeof maxBodyBytes === "number" ? maxBodyBytes : maxBodyBytes(method);
}

const defaultHeartbeatMs = 15_000;

/** A request on its way, and what has become known of it. */
class Exchange {
  readonly request: RestRequest;
  readonly values: ContextValues;
  endpoint: Endpoint | undefined;
  context: CallContext | undefined;
  /** Whether the call goes on while the answer is being sent. */
  isStreaming = false;

  constructor(request: RestRequest) {
    this.request = request;
    this.values = request.contextValues ?? createContextValues();
  }
}

/**
 * Waits only for what is not there at once: most calls wait for their implementation alone, and this is the only asynchronous function that they pass
 * here.
 */
async function handle(
  request: RestRequest,
  routes: RouteTrie<Endpoint>,
  options: GatewayOptions,
): Promise<UniversalServerResponse> {
  const exchange = new Exchange(request);
  try {
    const { path, query } = splitUrl(request.target ?? request.url);
    const found = findEndpoint(routes, request.method, path);
    if (found.kind === "options") {
      return { status: 204, header: new Headers({ allow: found.allow.join(", ") }) };
    }
    const { endpoint, variables } = found;
    const { call, route } = endpoint;
    exchange.endpoint = endpoint;
    options.onRoute?.(route, exchange.values);
    const timeoutMs = readTimeout(request.header);
    const context = beginCall(exchange, route.method, timeoutMs, options);
    const admission = options.requestGate?.(context);
    if (admission !== undefined) {
      await admission;
    }
    if (timeoutMs instanceof GatewayError) {
      throw timeoutMs;
    }
    requireAcceptable(request.header, endpoint.mediaTypes);
    const violations = new ViolationCollector();
    const reading = readRequestBody(request, route, options.json, maxBodyBytesOf(route.method, options), violations);
    const body = reading instanceof Promise ? await reading : reading;
    const lastEventId = call.kind === "stream" ? readLastEventId(request.header) : undefined;
    const message = endpoint.bind({ variables, query: parseQuery(query), body, lastEventId }, violations);
    if (!violations.isEmpty) {
      exchange.values.set(bindingViolations, violations);
    }
    if (call.kind === "stream") {
      return await answerStream(exchange, context, endpoint, call.invoke, message, options);
    }
    const rendered = rendererFor(endpoint, context)(await call.invoke(context, message));
    const content = wrapped(rendered instanceof Promise ? await rendered : rendered, true, request, options);
    const response = contentResponse(request, route, endpoint.status, context.responseHeader, content);
    return response instanceof Promise ? await response : response;
  } catch (error) {
    return await refuse(exchange, error, options);
  } finally {
    if (!exchange.isStreaming) {
      exchange.context?.end();
    }
  }
}

/** How the client wants the answer. */
function rendererFor({ otherForm, renderWhole }: Endpoint, context: CallContext): Endpoint["renderWhole"] {
  if (otherForm === undefined) {
    return renderWhole;
  }
  context.responseHeader.append("vary", "accept");
  const accept = context.requestHeader.get("accept");
  return prefers(accept, otherForm.mediaType, jsonMediaType) ? otherForm.render : renderWhole;
}

function beginCall(
  exchange: Exchange,
  method: DescMethod,
  timeoutMs: ReturnType<typeof readTimeout>,
  { shutdownSignal }: GatewayOptions,
): CallContext {
  const { request, values } = exchange;
  exchange.context = new CallContext({
    method,
    protocolName: "rest",
    request,
    values,
    timeoutMs: typeof timeoutMs === "number" ? timeoutMs : undefined,
    shutdownSignal,
  });
  return exchange.context;
}

async function answerStream(
  exchange: Exchange,
  context: CallContext,
  endpoint: Endpoint,
  invoke: StreamCall,
  message: Message,
  options: GatewayOptions,
): Promise<UniversalServerResponse> {
  const { request, values } = exchange;
  const opening = new StreamOpening();
  values.set(streamOpeningKey, opening);
  const messages = await invoke(context, message);
  const response = await streamResponse(request, endpoint.status, context.responseHeader, {
    messages,
    opening,
    format: endpoint.streamFormat?.(request.header.get("accept")),
    heartbeatMs: options.heartbeatMs ?? defaultHeartbeatMs,
    signal: context.signal,
    render: (streamed) => (endpoint.isShown(streamed) ? endpoint.render(streamed) : undefined),
    renderError: (error) => jsonContent(explain(exchange, error, options).body),
    close: () => context.end(),
  });
  exchange.isStreaming = response.body !== undefined;
  return response;
}

function wrapped(
  content: ResponseContent,
  isOk: boolean,
  request: UniversalServerRequest,
  options: GatewayOptions,
): ResponseContent {
  const wrap = content.type === jsonMediaType ? options.wrapBody?.(request.header) : undefined;
  return wrap === undefined ? content : new ResponseContent(content.type, wrap(isOk, content.text));
}

function explain({ endpoint, request, values }: Exchange, error: unknown, options: GatewayOptions): RestError {
  const known = endpoint && { route: endpoint.route, method: endpoint.route.method };
  return options.errorResponse(error, { values, request, ...known });
}

async function refuse(exchange: Exchange, error: unknown, options: GatewayOptions): Promise<UniversalServerResponse> {
  const header = exchange.context?.responseHeader ?? new HeaderFields();
  try {
    const answer = explain(exchange, error, options);
    const content = wrapped(jsonContent(answer.body), false, exchange.request, options);
    return await errorResponse(exchange.request, error, answer, content, header);
  } catch {
    return { status: 500, header: new Headers({ "content-length": "0" }) };
  }
}
