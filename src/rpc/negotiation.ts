import type { UniversalHandler, UniversalHandlerFn } from "@connectrpc/connect/protocol";

const contentTypes = [
  ...["application/json", "application/proto", "application/connect+json", "application/connect+proto"],
  ...["application/grpc", "application/grpc+json", "application/grpc+proto"],
  ...["application/grpc-web", "application/grpc-web+json", "application/grpc-web+proto"],
];

/**
 * The same handler, whose refusals say what it takes: a 405 its methods (`Allow`, RFC 9110 §15.5.6), a 415 its media types
 * (`Accept-Post`, Linked Data Platform §7.1, as other servers of Connect do).
 */
export function withHints(handler: UniversalHandler): UniversalHandlerFn {
  const allow = [...handler.allowedMethods].sort().join(", ");
  const acceptPost = contentTypes.filter((type) => handler.supportedContentType(type)).join(", ");
  return async (request) => {
    const answer = await handler(request);
    switch (answer.status) {
      case 405:
        return { ...answer, header: new Headers([...(answer.header ?? []), ["allow", allow]]) };
      case 415:
        return { ...answer, header: new Headers([...(answer.header ?? []), ["accept-post", acceptPost]]) };
      default:
        return answer;
    }
  };
}
