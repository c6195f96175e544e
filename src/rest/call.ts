import { create, type Message } from "@bufbuild/protobuf";
import {
  type ContextKey,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
} from "@connectrpc/connect";
import { GatewayError } from "./gateway-error.ts";
import { bindingViolations } from "./violations.ts";

/** Calls an RPC's implementation through the interceptors. */
export type Call = (context: HandlerContext, message: Message) => Promise<Message>;

type Next = Parameters<Interceptor>[0];

/** How the innermost function gets to the context: the interceptors between are shared by all calls. */
const callContext: ContextKey<HandlerContext | undefined> = createContextKey<HandlerContext | undefined>(undefined, {
  description: "handler context of a REST call",
});

/** Composes the interceptors around a unary RPC, once. The first one is the outermost, as for every Connect protocol. */
export function composeUnary(spec: MethodImplSpec & { kind: "unary" }, interceptors: readonly Interceptor[]): Call {
  const { impl, method } = spec;
  const innermost: Next = async (request) => {
    if (request.stream) {
      throw new TypeError(`an interceptor made a stream of ${method.name}`);
    }
    throwPendingViolations(request.contextValues.get(bindingViolations));
    const context = request.contextValues.get(callContext);
    if (context === undefined) {
      throw new TypeError("an interceptor lost the context values of a REST call");
    }
    const output = await impl(request.message, {
      ...context,
      service: request.service,
      requestHeader: request.header,
      signal: request.signal,
      values: request.contextValues,
    });
    return {
      stream: false,
      service: method.parent,
      method,
      header: context.responseHeader,
      trailer: context.responseTrailer,
      message: create(method.output, output),
    };
  };
  const outermost = compose(innermost, interceptors);
  return async (context, message) => {
    context.values.set(callContext, context);
    const response = await outermost({
      stream: false,
      service: method.parent,
      method,
      requestMethod: context.requestMethod,
      url: context.url,
      signal: context.signal,
      header: context.requestHeader,
      contextValues: context.values,
      message,
    });
    if (response.stream) {
      throw new TypeError(`an interceptor made a stream of ${method.name}`);
    }
    copyHeaders(response.header, context.responseHeader);
    return response.message;
  };
}

function compose(innermost: Next, interceptors: readonly Interceptor[]): Next {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}

function throwPendingViolations(violations: readonly { path: string; message: string }[]): void {
  if (violations.length > 0) {
    throw new GatewayError("invalid-fields", "One or more fields are invalid.", { violations });
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
