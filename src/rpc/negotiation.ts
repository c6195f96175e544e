import { SingleChunk } from "@byond/rest/single-chunk";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import type { UniversalHandler, UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { AppError } from "../errors.ts";
import { errorToJsonBytes } from "./connect-protocols.ts";
import { type ErrorReporter, toConnectError } from "./wire-errors.ts";

/** The media types of calls over Connect, gRPC and gRPC-Web. */
export const rpcMediaTypes: ReadonlySet<string> = new Set([
  ...["application/json", "application/proto", "application/connect+json", "application/connect+proto"],
  ...["application/grpc", "application/grpc+json", "application/grpc+proto"],
  ...["application/grpc-web", "application/grpc-web+json", "application/grpc-web+proto"],
]);

/**
 * Wraps a handler so that its refusals explain themselves, in Connect's JSON. A 405 names the methods (`Allow`, RFC 9110
 * §15.5.6), a 415 the media types (`Accept-Post`, Linked Data Platform §7.1, as other Connect servers do).
 */
export function explainRefusals(handler: UniversalHandler, errors: ErrorReporter): UniversalHandlerFn {
  const allow = [...handler.allowedMethods].sort().join(", ");
  const acceptPost = [...rpcMediaTypes].filter((type) => handler.supportedContentType(type)).join(", ");
  const refusals = new Map([
    [405, { error: new AppError("method_not_allowed", `The method must be one of: ${allow}.`), headers: { allow } }],
    [
      415,
      {
        error: new AppError("unsupported_media_type", `The Content-Type must be one of: ${acceptPost}.`),
        headers: { "accept-post": acceptPost },
      },
    ],
    [
      505,
      {
        error: new AppError("invalid_request", "This RPC is a bidirectional stream, which requires HTTP/2."),
        headers: {},
      },
    ],
  ]);
  return async (request) => {
    const answer = await handler(request);
    const refusal = refusals.get(answer.status);
    if (refusal === undefined) {
      return answer;
    }
    const error = toConnectError(errors, refusal.error, request.contextValues ?? createContextValues());
    const body = errorToJsonBytes(error, undefined);
    const header = new Headers([...(answer.header ?? []), ...Object.entries(refusal.headers)]);
    header.set("content-type", "application/json");
    header.set("content-length", String(body.length));
    return { ...answer, header, ...(request.method === "HEAD" ? {} : { body: new SingleChunk(body) }) };
  };
}

/** Throws `invalid_request` for an unknown version of Connect's protocol. A call need not name a version. */
export function requireKnownVersion({ protocolName, requestMethod, requestHeader, url }: HandlerContext): void {
  if (protocolName !== "connect") {
    return;
  }
  const [given, known] =
    requestMethod === "GET"
      ? [new URL(url).searchParams.get("connect"), "v1"]
      : [requestHeader.get("connect-protocol-version"), "1"];
  if (given !== null && given !== "" && given !== known) {
    throw new AppError("invalid_request", `The version of Connect's protocol must be ${known}.`);
  }
}
