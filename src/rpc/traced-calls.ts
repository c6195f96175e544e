import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Awaitable } from "../awaitable.ts";
import { AppError, errorKinds } from "../errors.ts";
import { inSpan } from "../observe/active-span.ts";
import { connectCodeOf, serverErrors } from "../server/request-span.ts";

/** Runs the admission of a call as a span, where the call has one. */
export function admitInSpan<T>(admit: () => Awaitable<T>): Awaitable<T> {
  return inSpan({ name: "admit", kind: "internal", errorType }, admit);
}

/** Runs what the call does as a span: of a stream, until it is opened. */
export function createTracingInterceptor(): Interceptor {
  return (next) => async (request) => {
    const { method } = request;
    return inSpan(
      {
        name: "handle",
        kind: "internal",
        attributes: { "rpc.method": `${method.parent.typeName}/${method.name}` },
        errorType,
      },
      () => next(request),
    );
  };
}

/** Of what is the server's fault. A call that is refused has not failed. */
function errorType(error: unknown): string | undefined {
  const code = codeOf(error);
  return serverErrors.has(code) ? connectCodeOf(code) : undefined;
}

function codeOf(error: unknown): Code {
  if (error instanceof AppError) {
    return error.details.rpcCode ?? errorKinds[error.code].rpcCode;
  }
  return error instanceof ConnectError ? error.code : Code.Internal;
}
