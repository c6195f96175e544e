import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import {
  type ContextKey,
  type ContextValues,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { bindingViolations, hasViolations } from "./field-violations.ts";
import { GatewayError } from "./gateway-error.ts";

/** Calls a unary RPC's implementation through the interceptors. */
export type UnaryCall = (context: HandlerContext, message: Message) => Promise<Message>;

/** Calls a server-streaming RPC's implementation through the interceptors. */
export type StreamCall = (context: HandlerContext, message: Message) => Promise<AsyncIterable<Message>>;

type Next = Parameters<Interceptor>[0];
type InterceptedRequest = Parameters<Next>[0];

/** How the innermost function gets to the context of a call: the interceptors around it are shared by all calls. */
const callContext: ContextKey<HandlerContext | undefined> = createContextKey<HandlerContext | undefined>(undefined, {
  description: "handler context of a call",
});

/**
 * A unary request, whose `url` and `signal` are made when somebody asks for them. A copy (`{ ...request, header }`) has neither by
 * itself: `compose` sees to it.
 */
class LazyUnaryRequest implements UnaryRequest {
  readonly stream = false;
  readonly service: DescService;
  readonly method: DescMethodUnary;
  readonly requestMethod: string;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly message: Message;
  readonly #context: Pick<HandlerContext, "url">;
  readonly #makeSignal: () => AbortSignal;
  #signal: AbortSignal | undefined;

  constructor(
    request: Pick<UnaryRequest, "service" | "method" | "requestMethod" | "header" | "contextValues" | "message">,
    context: Pick<HandlerContext, "url">,
    makeSignal: () => AbortSignal,
  ) {
    this.service = request.service;
    this.method = request.method;
    this.requestMethod = request.requestMethod;
    this.header = request.header;
    this.contextValues = request.contextValues;
    this.message = request.message;
    this.#context = context;
    this.#makeSignal = makeSignal;
  }

  get url(): string {
    return this.#context.url;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }
}

/** The same request with another signal, which a unary call has made when somebody asks for it. */
export function withSignal(request: InterceptedRequest, makeSignal: () => AbortSignal): InterceptedRequest {
  return request.stream ? { ...request, signal: makeSignal() } : new LazyUnaryRequest(request, request, makeSignal);
}

/** Composes the interceptors around a unary RPC, once. The first one is the outermost, as for every Connect protocol. */
export function composeUnary(
  { impl, method }: MethodImplSpec & { kind: "unary" },
  interceptors: readonly Interceptor[],
): UnaryCall {
  const respond = (answer: MessageInitShape<DescMessage>, context: HandlerContext): UnaryResponse => ({
    stream: false,
    service: method.parent,
    method,
    message: create(method.output, answer),
    header: context.responseHeader,
    trailer: context.responseTrailer,
  });
  const call = (request: InterceptedRequest): UnaryResponse | Promise<UnaryResponse> => {
    if (request.stream) {
      throw new TypeError(`an interceptor made a stream of ${method.name}`);
    }
    requireNoViolations(request);
    const context = new InnermostContext(contextOf(request), request);
    const answer = impl(request.message, context);
    return answer instanceof Promise ? answer.then((late) => respond(late, context)) : respond(answer, context);
  };
  // Interceptors get a promise, whatever the implementation does: also a rejected one.
  const outermost = compose(interceptors, (request) => {
    try {
      return Promise.resolve(call(request));
    } catch (error) {
      return Promise.reject(error);
    }
  });
  return async (context, message) => {
    context.values.set(callContext, context);
    const { requestMethod, requestHeader: header, values: contextValues } = context;
    const request = { service: method.parent, method, requestMethod, header, contextValues, message };
    const response = await outermost(new LazyUnaryRequest(request, context, () => context.signal));
    if (response.stream) {
      throw new TypeError(`an interceptor made a stream of ${method.name}`);
    }
    copyHeaders(response.header, context.responseHeader);
    copyHeaders(response.trailer, context.responseTrailer);
    return response.message;
  };
}

/** Composes the interceptors around a server-streaming RPC, once. */
export function composeStream(
  { impl, method }: MethodImplSpec & { kind: "server_streaming" },
  interceptors: readonly Interceptor[],
): StreamCall {
  const outermost = compose(interceptors, async (request) => {
    if (!request.stream) {
      throw new TypeError(`an interceptor made a single request of ${method.name}`);
    }
    // Reading it first: an interceptor may report what it finds wrong together with the violations.
    const input = await first(request.message);
    requireNoViolations(request);
    const context = new InnermostContext(contextOf(request), request);
    const message = normalized(method.output, impl(input, context));
    const { responseHeader: header, responseTrailer: trailer } = context;
    return { stream: true, service: method.parent, method, message, header, trailer };
  });
  return async (context, message) => {
    context.values.set(callContext, context);
    const { requestMethod, requestHeader: header, values: contextValues, url, signal } = context;
    const common = { service: method.parent, method, requestMethod, header, contextValues, url, signal };
    const response = await outermost({ stream: true, ...common, message: createAsyncIterable([message]) });
    if (!response.stream) {
      throw new TypeError(`an interceptor made a single answer of ${method.name}`);
    }
    copyHeaders(response.header, context.responseHeader);
    return response.message;
  };
}

function compose(interceptors: readonly Interceptor[], innermost: Next): Next {
  return interceptors.reduceRight<Next>(
    (next, interceptor) => interceptor((request) => next(complete(request))),
    innermost,
  );
}

/** The request as an interceptor hands it on, with what a copy of it lacks. */
function complete(request: InterceptedRequest): InterceptedRequest {
  if (request.stream || request instanceof LazyUnaryRequest) {
    return request;
  }
  const { url, signal } = contextOf(request);
  return { ...request, url: request.url ?? url, signal: request.signal ?? signal };
}

function contextOf({ contextValues }: InterceptedRequest): HandlerContext {
  const context = contextValues.get(callContext);
  if (context === undefined) {
    throw new TypeError("an interceptor lost the context values of a call");
  }
  return context;
}

/** Throws violations that no interceptor threw: the implementation never sees a message that is bound in part only. */
function requireNoViolations({ contextValues }: InterceptedRequest): void {
  const violations = contextValues.get(bindingViolations);
  if (hasViolations(violations)) {
    throw new GatewayError("invalid-fields", "One or more fields are invalid.", { violations });
  }
}

/** The context for the implementation: that of the call, with what interceptors changed. */
class InnermostContext implements HandlerContext {
  readonly service: DescService;
  readonly requestHeader: Headers;
  readonly values: ContextValues;
  readonly method: DescMethod;
  readonly protocolName: string;
  readonly requestMethod: string;
  readonly responseHeader: Headers;
  readonly responseTrailer: Headers;
  readonly timeoutMs: () => number | undefined;
  readonly #context: HandlerContext;
  readonly #request: InterceptedRequest;

  constructor(context: HandlerContext, request: InterceptedRequest) {
    this.service = request.service;
    this.requestHeader = request.header;
    this.values = request.contextValues;
    this.method = context.method;
    this.protocolName = context.protocolName;
    this.requestMethod = context.requestMethod;
    this.responseHeader = context.responseHeader;
    this.responseTrailer = context.responseTrailer;
    this.timeoutMs = context.timeoutMs;
    this.#context = context;
    this.#request = request;
  }

  get url(): string {
    return this.#context.url;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }
}

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) {
    return item;
  }
  throw new TypeError("an interceptor took the request away");
}

/** Implementations may yield parts of messages; what they yield is completed. */
async function* normalized(
  desc: DescMessage,
  items: AsyncIterable<MessageInitShape<DescMessage>>,
): AsyncIterable<Message> {
  for await (const item of items) {
    yield create(desc, item);
  }
}

/** An interceptor may answer with headers of its own, which then replace the context's. */
function copyHeaders(from: Headers, to: Headers): void {
  if (from === to) {
    return;
  }
  for (const name of [...to.keys()]) {
    to.delete(name);
  }
  for (const [name, value] of from) {
    to.append(name, value);
  }
}
