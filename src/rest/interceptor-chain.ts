import { create, type DescMessage, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ContextKey,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
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
  description: "handler context of a REST call",
});

/** Composes the interceptors around a unary RPC, once. The first one is the outermost, as for every Connect protocol. */
export function composeUnary(
  { impl, method }: MethodImplSpec & { kind: "unary" },
  interceptors: readonly Interceptor[],
): UnaryCall {
  const outermost = compose(interceptors, async (request) => {
    if (request.stream) {
      throw new TypeError(`an interceptor made a stream of ${method.name}`);
    }
    const context = innermostContext(request);
    const output = await impl(request.message, context);
    return { stream: false, method, message: create(method.output, output), ...responseCommon(method, context) };
  });
  return async (context, message) => {
    const response = await outermost({ stream: false, method, message, ...requestCommon(method, context) });
    if (response.stream) {
      throw new TypeError(`an interceptor made a stream of ${method.name}`);
    }
    copyHeaders(response.header, context.responseHeader);
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
    const context = innermostContext(request);
    const message = normalized(method.output, impl(await first(request.message), context));
    return { stream: true, method, message, ...responseCommon(method, context) };
  });
  return async (context, message) => {
    const request = { method, message: createAsyncIterable([message]), ...requestCommon(method, context) };
    const response = await outermost({ stream: true, ...request });
    if (!response.stream) {
      throw new TypeError(`an interceptor made a single answer of ${method.name}`);
    }
    copyHeaders(response.header, context.responseHeader);
    return response.message;
  };
}

function compose(interceptors: readonly Interceptor[], innermost: Next): Next {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}

/** What interceptors see of a call. */
function requestCommon(method: DescMethod, context: HandlerContext) {
  context.values.set(callContext, context);
  return {
    service: method.parent,
    requestMethod: context.requestMethod,
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues: context.values,
  };
}

function responseCommon(method: DescMethod, context: HandlerContext) {
  return { service: method.parent, header: context.responseHeader, trailer: context.responseTrailer };
}

/** The context for the implementation, with what interceptors changed. Throws violations that none of them threw. */
function innermostContext(request: InterceptedRequest): HandlerContext {
  const violations = request.contextValues.get(bindingViolations);
  if (hasViolations(violations)) {
    throw new GatewayError("invalid-fields", "One or more fields are invalid.", { violations });
  }
  const context = request.contextValues.get(callContext);
  if (context === undefined) {
    throw new TypeError("an interceptor lost the context values of a REST call");
  }
  return {
    ...context,
    service: request.service,
    requestHeader: request.header,
    signal: request.signal,
    values: request.contextValues,
  };
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
