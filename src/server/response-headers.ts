import { type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The headers and trailers of a call's answer, whether it succeeds or fails. */
export interface ResponseHeaders {
  readonly header: Headers;
  readonly trailer: Headers;
}

const responseHeadersKey = createContextKey<ResponseHeaders | undefined>(undefined, {
  description: "response headers",
});

/** Makes the headers of a call's answer available to its interceptors. The chain's `requestGate` calls it first. */
export function exposeResponseHeaders(context: HandlerContext): void {
  context.values.set(responseHeadersKey, { header: context.responseHeader, trailer: context.responseTrailer });
}

/**
 * The headers of a call's answer. Interceptors have no access to the call's context. One that answers without calling the
 * implementation must return these same objects: Connect drops its own headers otherwise.
 */
export function responseHeadersOf(values: ContextValues): ResponseHeaders {
  const headers = values.get(responseHeadersKey);
  if (headers === undefined) {
    throw new TypeError("the gate did not expose the response's headers");
  }
  return headers;
}
