import { type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The headers and trailers that a call's answer will carry, whether it succeeds or fails. */
export interface ResponseHeaders {
  readonly header: Headers;
  readonly trailer: Headers;
}

const responseHeadersKey = createContextKey<ResponseHeaders | undefined>(undefined, {
  description: "response headers",
});

/** Makes the headers of a call's answer known to its interceptors. The gate calls it first. */
export function exposeResponseHeaders(context: HandlerContext): void {
  context.values.set(responseHeadersKey, { header: context.responseHeader, trailer: context.responseTrailer });
}

/**
 * The headers of a call's answer. Interceptors are not given the context of the call; one that answers without calling the
 * implementation must return these very objects, because Connect empties its own for any others.
 */
export function responseHeadersOf(values: ContextValues): ResponseHeaders {
  const headers = values.get(responseHeadersKey);
  if (headers === undefined) {
    throw new TypeError("the gate did not expose the response's headers");
  }
  return headers;
}
