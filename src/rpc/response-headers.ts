import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The headers and trailers that a call's answer will carry, whether it succeeds or fails. */
export interface ResponseHeaders {
  readonly header: Headers;
  readonly trailer: Headers;
}

/**
 * Set by the gate. Interceptors are not given the context of the call; one that answers without calling the
 * implementation must return these very objects, because Connect empties them for any others.
 */
export const responseHeadersKey = createContextKey<ResponseHeaders>(
  { header: new Headers(), trailer: new Headers() },
  { description: "response headers" },
);

/** Makes the headers of a call's answer known to its interceptors. The gate calls it first. */
export function exposeResponseHeaders(context: HandlerContext): void {
  context.values.set(responseHeadersKey, { header: context.responseHeader, trailer: context.responseTrailer });
}
